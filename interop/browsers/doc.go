// Package browsers tests WebTransport with headless Chromium and Firefox, and the
// way from TCP to HTTP/3 with Chromium, driven by puppeteer-core. The tests need
// npm, for puppeteer-core, and the browsers, which Debian has as chromium and
// firefox-esr; without them they are left out, or fail where CI is set.
//
// drive.mjs opens a page in a browser and runs the checks of checks.js in it,
// altsvc.mjs loads a page again and again, screenshot.mjs uses the demo's page as a
// person would, and paste.mjs the line that godwit cert prints; the Go tests judge what
// comes out.
package browsers
