"""The look of the report: one calm column, pictures as wide as it, by day and by night."""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #22242a; --soft: #686d78; --rule: #e4e2dc; --accent: #b4530a;
  --good: #0b7a5b; --bad: #b3261e; --shade: 0 1px 2px rgb(30 30 40 / .06), 0 8px 28px rgb(30 30 40 / .07);
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #111214; --card: #17181b; --ink: #e6e7ea; --soft: #979ca7; --rule: #2a2c31; --accent: #f0a35c;
    --good: #4fc9a0; --bad: #ff8a80; --shade: 0 0 0 1px rgb(255 255 255 / .04);
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 17px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
  font-variant-numeric: tabular-nums; text-rendering: optimizeLegibility;
}
main { max-width: 1040px; margin: 0 auto; padding: 72px 28px 96px; }
h1, h2 { font-family: Charter, "Bitstream Charter", "Iowan Old Style", "Source Serif 4", Georgia, serif;
  font-weight: 600; letter-spacing: -.01em; line-height: 1.15; text-wrap: balance; }
h1 { font-size: clamp(34px, 5.5vw, 54px); margin: 6px 0 14px; overflow-wrap: anywhere; }
h2 { font-size: 27px; margin: 84px 0 6px; }
h3 { font-size: 15px; margin: 34px 0 8px; }
p { margin: 0 0 14px; max-width: 66ch; text-wrap: pretty; }
.kicker { color: var(--accent); font-size: 14px; margin: 0; }
.lead, .note { color: var(--soft); }
.lead { font-size: 19px; max-width: 60ch; }
.facts { display: flex; flex-wrap: wrap; gap: 14px 48px; margin: 30px 0 44px; padding: 0; }
.facts dt { color: var(--soft); font-size: 13px; }
.facts dd { margin: 0; font-size: 20px; }
.done { color: var(--good); } .failed { color: var(--bad); }
figure { margin: 18px 0 0; }
figure img { display: block; max-width: 100%; height: auto; border-radius: 10px; box-shadow: var(--shade);
  background: var(--card); }
figure.wide img { width: 100%; }
figure.small img { image-rendering: pixelated; }
figcaption { color: var(--soft); font-size: 14.5px; margin-top: 12px; max-width: 70ch; }
.pair { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 380px), 1fr));
  gap: 30px; align-items: start; }
ul.says { list-style: none; padding: 0; margin: 20px 0 30px; max-width: 72ch; }
ul.says li { padding: 12px 0 12px 22px;
  border-top: 1px solid var(--rule); position: relative; overflow-wrap: anywhere; }
ul.says li:last-child { border-bottom: 1px solid var(--rule); }
ul.says li::before { content: ""; position: absolute; left: 2px; top: 22px; width: 8px; height: 8px;
  border-radius: 50%; background: var(--soft); }
ul.says li.alarming::before { background: var(--bad); }
table { border-collapse: collapse; width: 100%; font-size: 15px; margin: 12px 0 0; }
td, th { text-align: left; vertical-align: top; padding: 7px 18px 7px 0; border-bottom: 1px solid var(--rule);
  font-weight: 400; overflow-wrap: anywhere; }
th { color: var(--soft); width: 34%; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 0 48px; }
pre, code { font: 14.5px/1.55 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }
pre { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 16px 20px; margin: 16px 0;
  white-space: pre-wrap; overflow-wrap: anywhere; }
details { margin-top: 14px; } summary { cursor: pointer; color: var(--accent); }
footer { margin-top: 88px; padding-top: 18px; border-top: 1px solid var(--rule); color: var(--soft); font-size: 14px; }
@media print { main { padding: 0; } h2 { break-after: avoid; } figure { break-inside: avoid; } }
"""
