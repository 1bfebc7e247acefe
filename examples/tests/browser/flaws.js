// What is wrong with the page as it is shown now, a line each.
const flaws = [];
const colour = (text) => text.match(/[\d.]+/g).map(Number);
const luminance = ([r, g, b]) => [r, g, b]
  .map((part) => part / 255)
  .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
const contrast = (one, other) => {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};
const behind = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const painted = colour(getComputedStyle(at).backgroundColor);
    if (painted.length === 3 || painted[3] > 0) return painted;
  }
  return [255, 255, 255];
};
for (const element of document.querySelectorAll('body *')) {
  const box = element.getBoundingClientRect();
  const name = `<${element.tagName.toLowerCase()}> ${element.textContent.slice(0, 20)}`;
  if (box.width && (box.left < 0 || box.right > innerWidth)) {
    flaws.push(`${name} reaches from ${box.left} to ${box.right} in a window of ${innerWidth}`);
  }
  const says = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const ratio = contrast(colour(getComputedStyle(element).color), behind(element));
  if (says && ratio < 4.5) flaws.push(`${name} has a contrast of ${ratio.toFixed(1)}`);
}
return flaws;
