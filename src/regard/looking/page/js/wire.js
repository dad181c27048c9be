// The one module that speaks with a server, and only with the one that sent the page.
async function ask(path, body) {
  const answer = await fetch(path, body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.error ?? `${answer.status} ${answer.statusText}`);
  return said;
}

const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

// What a live page may ask. `first` gives the look that the page is about; `failed` is told what went wrong.
export function liveServer({ first, failed }) {
  let asked = 0; // a later question makes the answer to an earlier one unwanted
  const about = () => ({ text: first().text, direction: first().model.direction, target: first().translation, forced: first().forced });
  const busy = async work => {
    const mine = ++asked;
    document.body.setAttribute("aria-busy", "true");
    try { await work(() => mine === asked); } catch (error) { failed(error); } finally { document.body.removeAttribute("aria-busy"); }
  };
  return {
    look: (question, told) => busy(async wanted => { const data = await ask("api/look", question); if (wanted()) told(data); }),
    change: (change, told) => busy(async wanted => { const data = await ask("api/change", { ...about(), change }); if (wanted()) told(data); }),
    // What heads and words are worth, measured in the background, never in the way: told as it grows.
    worth: told => worthOf(about(), first(), first, told).catch(failed),
  };
}

async function worthOf(question, look, first, told) {
  const { job } = await ask("api/worth", question);
  for (;;) {
    const state = await ask(`api/worth/${job}`);
    if (first() !== look) return;
    if (state.error) throw new Error(state.error);
    told(state);
    if (state.done >= state.total || state.state === "cancelled") return;
    await pause(250);
  }
}
