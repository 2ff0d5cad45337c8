// For require(): the same modules, so that there is one engine whichever way they are loaded.
module.exports = require('./index.js');
