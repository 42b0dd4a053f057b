/**
 * Every message that crosses a border of the page, in one place: page and worker, worker and
 * Python, page and the files it loads. Types only, plus the names of the loading stages.
 *
 * A request carries an id and is answered once, with a value or with a failure. Events carry no
 * id. All numbers of time are milliseconds.
 */

/** @typedef {"fp32" | "int8"} Memory precision of the layers in memory, not on the wire */

/**
 * @typedef {object} Failure what went wrong, as plain data
 * @property {string} kind short name of the kind of error
 * @property {string} message what is wrong
 * @property {string} fix what the reader can do about it; may be empty
 */

/** @typedef {"model" | "python" | "session" | "warm"} Stage */

/** @type {readonly Stage[]} */
export const STAGES = ["model", "python", "session", "warm"];

/**
 * @typedef {object} Progress
 * @property {"progress"} type
 * @property {Stage} stage
 * @property {number} loaded the stage is over when it equals `total`
 * @property {number} total
 * @property {"bytes" | "steps"} unit
 * @property {number} [stored] bytes of `loaded` that came from this browser's store
 */

/**
 * @typedef {object} Ready a stage finished and has something to show
 * @property {"ready"} type
 * @property {"python"} stage
 * @property {{catalogs: CatalogInfo[], model: ModelInfo}} value
 */

/** @typedef {Progress | Ready} WorkerEvent */

/**
 * @typedef {object} Requests the payload of each request, by its type
 * @property {{memory?: Memory, threads?: number}} load
 * @property {{name: string, saved?: Saved, fresh?: boolean}} catalog open it, with what was kept of
 *   its agent; `fresh` keeps the world alone and begins a new conversation
 * @property {{text: string}} talk answer a message as the agent
 * @property {{choice: string}} choose answer a click on one of a reply's choices
 * @property {{}} renewWorld put the open catalog's world back to its beginning
 * @property {{}} exportWorld the open catalog's world as a file
 * @property {{bytes: Uint8Array}} importWorld put a file's content in its place
 * @property {{text: string}} say one bare turn of the model, nothing carried out: for measurements
 * @property {{}} reset
 * @property {{messages: TranscriptMessage[]}} restore make these messages the conversation, whoever
 *   made them: a transcript taken up again, or the history a measurement gives to a turn
 * @property {{}} stop end the turn that is being made; the only request that does not wait its turn
 */

/**
 * @typedef {object} Values what answers each request, by its type
 * @property {LoadInfo} load
 * @property {Opened} catalog
 * @property {Answer} talk
 * @property {Answer} choose
 * @property {Standing} renewWorld
 * @property {Uint8Array<ArrayBuffer>} exportWorld
 * @property {Standing} importWorld
 * @property {Turn} say
 * @property {Standing} reset
 * @property {{}} restore
 * @property {{}} stop
 */

/** @typedef {{id: number, ok: true, value: unknown} | {id: number, ok: false, error: Failure}} Settled */

/**
 * @typedef {object} ModelInfo
 * @property {string} name
 * @property {boolean} tuned
 */

/**
 * @typedef {object} LoadInfo how the page runs the model
 * @property {number} threads
 * @property {boolean} isolated whether the page may use shared memory, which threads need
 * @property {Memory} memory
 * @property {number} memoryBytes size of the weights in memory
 * @property {number} modelBytes size of the model's files on the wire
 * @property {boolean} stored whether every model file is kept in this browser
 */

/**
 * @typedef {object} CatalogInfo
 * @property {string} name
 * @property {string} title
 * @property {string} description
 * @property {string[]} examples first messages to try
 * @property {string[]} tools names
 * @property {boolean} archive whether its world can be saved as a file and brought back
 */

/**
 * @typedef {object} Saved the agent's record, to go on with later; opaque to the page but for:
 * @property {TranscriptMessage[]} messages
 */

/** @typedef {{world: import("./world-types.js").World, saved: Saved}} Standing */

/**
 * @typedef {{name: string, tokens: number, milliseconds: number, lost: string | null} & Standing}
 *   Opened a catalog and its prefill; `lost` says why what was kept could not be used
 */

/**
 * @typedef {object} Choice
 * @property {string} id
 * @property {string} label
 * @property {"primary" | "plain" | "danger"} style
 */

/**
 * @typedef {object} Reply what the agent answered
 * @property {"done" | "answer" | "ask" | "confirm" | "clarify" | "handover" | "refused" | "unclear"
 *   | "said"} kind
 * @property {string} text
 * @property {Turn["call"] | null} call
 * @property {string} command the call in words
 * @property {Choice[]} choices
 * @property {string[]} changed names of what changed in the world's view
 * @property {import("./world-types.js").Data | Handover | null} data
 * @property {boolean} undo
 * @property {string} reason
 * @property {Turn | null} turn null where the model was not asked
 * @property {number | null} sure how likely its call is right, 0 to 1
 */

/** @typedef {Reply & Standing} Answer */

/** @typedef {{kind: "handover", transcript: TranscriptMessage[]}} Handover what a person is to read */

/**
 * @typedef {object} Decision one choice the model made
 * @property {string} slot "tool", "slots" (which comes next), or the name of one
 * @property {unknown} value
 * @property {number} probability among the allowed values
 * @property {number | null} outside probability the model gave to what is not allowed, if measured
 * @property {[string, number][]} alternatives likeliest options, the chosen one among them
 */

/**
 * @typedef {object} Turn the record of one answered message
 * @property {string} text the message as the model was given it
 * @property {{name: string, arguments: Record<string, unknown>}} call
 * @property {number} confidence 0 to 1
 * @property {boolean} truncated a free text was cut at its limit
 * @property {Decision[]} decisions
 * @property {TokenCounts} tokens
 * @property {{prepare: number, prefill: number, decode: number, total: number}} milliseconds
 */

/**
 * @typedef {object} TokenCounts
 * @property {number} prompt in the whole conversation up to the call
 * @property {number} cached of these, in the KV cache already
 * @property {number} prefilled of these, run in this turn
 * @property {number} forced tokens of the call that the schema left no choice about
 * @property {number} decided tokens of the call that the model chose
 * @property {number} run tokens that passed through the model in this turn
 */

/**
 * @typedef {{role: "user", content: string}
 *   | {role: "assistant", call: Turn["call"]}
 *   | {role: "assistant", content: string}} TranscriptMessage by turns, the user's first; the
 *   last is the assistant's
 */

/** @typedef {{path: string, size: number, sha256: string}} FileEntry */

/**
 * @typedef {object} WireTensor
 * @property {string} name
 * @property {string} dtype "int8", "float16", "float32", or a block format: "q4", "q5", "q6"
 * @property {number[]} shape
 * @property {number} offset into the wire, bytes
 * @property {number} bytes
 * @property {string | null} scale name of a matrix's float32 scales per column as int8; on the wire
 *   if the matrix is int8 there, else made with it
 * @property {string | null} blocks name of the float16 scales of a matrix in blocks
 * @property {string | null} rows name of exponents of two to multiply the rows by, int8
 * @property {string | null} columns the same for the columns
 */

/** @typedef {{name: string, offset: number, bytes: number, dtype: "int8" | "float32"}} MemoryTensor */

/** @typedef {{graph: string, bytes: number, tensors: MemoryTensor[]}} MemoryLayout */

/**
 * @typedef {object} ModelManifest
 * @property {string} name
 * @property {boolean} [tuned]
 * @property {{context: number}} config
 * @property {{channels: number, head_size: number}} cache
 * @property {{tensors: WireTensor[], shards: FileEntry[]}} weights
 * @property {Record<Memory, MemoryLayout>} memory
 */

/**
 * @typedef {object} Manifest dist/manifest.json, the parts the page reads itself
 * @property {number} format
 * @property {ModelManifest} model
 * @property {{pyodide: string, ort: string, tokenizers: string, wheels: string[]}} runtime
 * @property {FileEntry[]} files
 */
