/**
 * A conversation as a file: one line of JSON in the form that evaluation data has, so that what was
 * said here can be measured later. `question` holds the messages up to the last one that led to a
 * call, `answer` that call; what was said after it leads to none and is left out.
 */

/** @typedef {import("./protocol.js").TranscriptMessage} TranscriptMessage */

const PATIENCE = 60_000; // milliseconds a browser may take to begin saving

/**
 * @param {readonly TranscriptMessage[]} messages
 * @returns {string} the line, with its end; empty where no message led to a call
 */
export function transcriptLine(messages) {
  const end = messages.findLastIndex((message) => "call" in message);
  const last = messages[end];
  if (!last || !("call" in last)) return "";
  const { name, arguments: parameters } = last.call;
  const line = {
    question: JSON.stringify(messages.slice(0, end).map(chatMessage)),
    answer: JSON.stringify({ name, parameters }),
  };
  return `${JSON.stringify(line)}\n`;
}

/** @param {TranscriptMessage} message */
function chatMessage(message) {
  if (!("call" in message)) return message;
  const { role, call } = message;
  return { role, content: "", tool_calls: [{ type: "function", function: call }] };
}

/**
 * Give the visitor the conversation as a file.
 *
 * @param {string} catalog name
 * @param {readonly TranscriptMessage[]} messages
 */
export function saveTranscript(catalog, messages) {
  const blob = new Blob([transcriptLine(messages)], { type: "application/jsonl" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `offhand-${catalog}.jsonl`;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), PATIENCE);
}
