// The one module that speaks with a server, and only with the one that sent the page.
async function ask(path, body) {
  const answer = await fetch(path, body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.error ?? `${answer.status}`);
  return said;
}

export function askLook(asked) {
  return ask("api/look", asked);
}

export function askChange(asked) {
  return ask("api/change", asked);
}

// What heads and words are worth, measured in the background: told as it grows, until all of it is there or `wanted`
// says that nobody wants it any more.
export async function askWorth(asked, told, wanted) {
  const { job } = await ask("api/worth", asked);
  for (;;) {
    const state = await ask(`api/worth/${job}`);
    if (!wanted()) return;
    told(state);
    if (state.done >= state.total) return;
    await new Promise(resolve => setTimeout(resolve, 250));
  }
}
