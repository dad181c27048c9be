// Pictures and tables of the page as files: nothing leaves the machine.
const DRAWN = ["fill", "stroke", "stroke-width", "stroke-linejoin", "paint-order", "opacity", "display", "font-family", "font-size", "font-style", "font-weight", "font-variant-numeric", "letter-spacing", "text-anchor"];

// A drawing that looks the same without the page's style sheet, on paper of this colour.
export function standingAlone(svg, paper) {
  const copy = svg.cloneNode(true), own = [...svg.querySelectorAll("*")], its = [...copy.querySelectorAll("*")];
  own.forEach((el, i) => {
    const style = getComputedStyle(el);
    its[i].setAttribute("style", DRAWN.map(name => `${name}:${style.getPropertyValue(name)}`).join(";"));
  });
  const sheet = svg.parentElement.querySelector("canvas"); // cells that are one picture
  if (sheet) copy.insertAdjacentHTML("afterbegin", `<image href="${sheet.toDataURL()}" x="${parseFloat(sheet.style.left)}" y="${parseFloat(sheet.style.top)}" width="${parseFloat(sheet.style.width)}" height="${parseFloat(sheet.style.height)}"/>`);
  const box = svg.getBBox(), [x, y, width, height] = [box.x - 12, box.y - 12, box.width + 24, box.height + 24].map(Math.round);
  Object.entries({ xmlns: "http://www.w3.org/2000/svg", viewBox: `${x} ${y} ${width} ${height}`, width, height }).forEach(([k, v]) => copy.setAttribute(k, v));
  copy.insertAdjacentHTML("afterbegin", `<rect x="${x}" y="${y}" width="${width}" height="${height}" style="fill:${paper}"/>`);
  return { text: new XMLSerializer().serializeToString(copy), width, height };
}

function handOver(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

export async function savePicture(svg, paper, name, how) {
  const { text, width, height } = standingAlone(svg, paper);
  if (how === "svg") return handOver(new Blob([text], { type: "image/svg+xml" }), `${name}.svg`);
  const image = new Image(), canvas = Object.assign(document.createElement("canvas"), { width: 2 * width, height: 2 * height });
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toBlob(blob => handOver(blob, `${name}.png`), "image/png");
}
