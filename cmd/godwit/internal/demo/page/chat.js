// The chat: each message is a unidirectional stream, which the server passes on to
// all other sessions.
import { connect, receiveTexts, sendUni } from "./transport.js";

const $ = (id) => document.getElementById(id);

let session; // while it is open

function add(text, className) {
  const item = document.createElement("li");
  item.textContent = text;
  item.className = className;
  $("talked").append(item);
}

function become(joined, message = "") {
  $("join").disabled = false;
  $("join").textContent = joined ? "Leave the chat" : "Join the chat";
  $("say").hidden = !joined;
  $("chat-message").hidden = !message;
  $("chat-message").textContent = message;
}

async function join(hash) {
  $("join").disabled = true;
  try {
    session = await connect("/wt/chat", hash);
  } catch (e) {
    become(false, e.message);
    return;
  }
  become(true);
  $("words").focus();
  receiveTexts(session, (text) => add(text, "theirs")).catch(() => {});
  session.closed.then(() => "", (e) => `The chat was cut off: ${e.message}`).then((message) => {
    session = undefined;
    become(false, message);
  });
}

// prepareChat lets the chat's buttons work.
export function prepareChat(hash) {
  $("join").addEventListener("click", () => (session ? session.close() : join(hash)));
  $("say").addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = $("words").value.trim();
    if (!text) return;
    $("words").value = "";
    try {
      await sendUni(session, text);
      add(text, "mine");
    } catch (e) {
      become(true, `That was not sent: ${e.message}`);
    }
  });
}
