"""The frame of the report's page and its looks: readable on a phone, by day and by night."""

from string import Template

PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Results</title>
<style>
:root {
  --ink: #1d1d1b; --soft: #66645f; --line: #dcd9d2; --paper: #ffffff; --panel: #f5f4f1;
  --yes: #0a6b4e; --no: #a8430a; --open: #66645f; --link: #1f5f99;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6e3dc; --soft: #a09d95; --line: #3a3936; --paper: #191917; --panel: #242421;
    --yes: #58c39d; --no: #f0935a; --open: #a09d95; --link: #86b8e8;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 2.5rem 1.25rem 5rem; max-width: 47rem;
  color: var(--ink); background: var(--paper);
  font: 1.0625rem/1.55 Charter, "Bitstream Charter", "Iowan Old Style", "Palatino Linotype",
    "Source Serif 4", Georgia, "DejaVu Serif", serif;
}
h1, h2, h3 { font-weight: 600; line-height: 1.2; text-wrap: balance; }
h1 { font-size: 2.1rem; margin: 0 0 1rem; letter-spacing: -0.01em; }
h2 { font-size: 1.5rem; margin: 4rem 0 0.2rem; }
h3 { font-size: 1.05rem; margin: 2.2rem 0 0; }
p { margin: 0.6rem 0; }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: 2px; }
.soft, figcaption { color: var(--soft); }
.soft { margin: 0.15rem 0 0; font-size: 0.92rem; }
code { font: 0.86em ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
.scroll { overflow-x: auto; margin: 1.3rem 0; }
table { border-collapse: collapse; width: 100%; font-size: 0.94rem; line-height: 1.35; }
th { font-weight: 600; text-align: left; vertical-align: bottom; }
thead th { color: var(--soft); font-weight: 400; font-style: italic; }
td, th { padding: 0.32rem 1.1rem 0.32rem 0; vertical-align: top; }
td:last-child, th:last-child { padding-right: 0; }
thead { border-bottom: 1px solid var(--ink); }
tbody { border-bottom: 1px solid var(--line); }
tbody th { padding-top: 0.7rem; }
.n { text-align: right; font-variant-numeric: tabular-nums lining-nums; white-space: nowrap; }
nav ul { list-style: none; margin: 0; padding: 0; font-size: 0.88rem; line-height: 1.9; }
nav a { text-decoration: none; }
main { min-width: 0; }
@media (min-width: 75rem) {
  body { max-width: 66rem; display: grid; grid-template-columns: 14rem 1fr; gap: 3rem; }
  nav { position: sticky; top: 2.5rem; align-self: start; }
}
@media (max-width: 74.9rem) { nav { display: none; } } /* the overview has the same links */
.opening {
  display: grid; gap: 1.5rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr));
}
.opening figure { margin: 1rem 0 0; }
.opening img { width: 100%; aspect-ratio: 3 / 2; object-fit: contain; }
.overview th:nth-child(4), .overview td:nth-child(4) { display: none; }
figure { margin: 1.8rem 0; }
figure img { display: block; max-width: 100%; height: auto; margin: 0 auto; }
@media (prefers-color-scheme: dark) {
  figure img { background: #fff; padding: 0.6rem; border-radius: 4px; filter: brightness(0.92); }
}
figcaption { font-size: 0.94rem; line-height: 1.45; margin-top: 0.7rem; }
.say { margin: 1rem 0; padding: 0.1rem 0 0.1rem 1rem; border-left: 3px solid var(--line); }
.say.bad { border-color: var(--no); }
.claims { list-style: none; margin: 1.3rem 0; padding: 0; }
.claims li { display: grid; grid-template-columns: 1.7rem 1fr; margin: 0.9rem 0; }
.ledger { list-style: none; padding: 0; } .ledger li { margin: 0.9rem 0; }
.own td, .own th { white-space: nowrap; }
.mark { font-weight: 700; font-family: "DejaVu Sans", "Segoe UI Symbol", system-ui, sans-serif; }
.yes { color: var(--yes); } .no { color: var(--no); } .open { color: var(--open); }
.verdict { font-style: italic; }
details { margin: 1rem 0; font-size: 0.94rem; }
summary { cursor: pointer; color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1.1rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
pre { overflow-x: auto; background: var(--panel); padding: 0.8rem; font-size: 0.8rem; }
@media (max-width: 34rem) {
  thead .n { white-space: normal; }
  body { padding-top: 1.5rem; font-size: 1rem; } h1 { font-size: 1.7rem; } h2 { font-size: 1.3rem; }
  dl { grid-template-columns: 1fr; } dd { margin-bottom: 0.5rem; }
  td, th { padding-right: 0.8rem; }
}
@media print {
  nav { display: none; } body { display: block; max-width: none; }
  figure, tr, li { break-inside: avoid; }
}
</style>
</head>
<body>
<nav aria-label="Experiments"><ul>$contents</ul></nav>
<main>
<h1>Results</h1>
$opening
<p>$introduction</p>
$body
</main>
</body>
</html>
""")
