// Package browsers tests WebTransport with headless Chromium and Firefox, driven
// by puppeteer-core. The tests need npm, for puppeteer-core, and the browsers,
// which Debian has as chromium and firefox-esr; without them they are skipped.
//
// drive.mjs opens a page in a browser and runs the checks of checks.js in it; the
// Go tests judge what comes out.
package browsers
