/**
 * What the worlds show, as the agent's Python sends it. Types only. `changed` names parts of these:
 * "light.kitchen", "door.front", "thermostat", "scene", "account.checking", "card.4071",
 * "case.F-1", "bill", "queue", or the path of a file.
 */

/** @typedef {{name: string, label: string, light: boolean}} Room */

/** @typedef {{name: string, label: string, locked: boolean}} Door */

/**
 * @typedef {object} Thermostat
 * @property {number} target degrees Fahrenheit
 * @property {"heat" | "cool" | "auto"} mode
 * @property {number} now degrees Fahrenheit
 */

/**
 * @typedef {object} HomeWorld
 * @property {Room[]} rooms
 * @property {Door[]} doors
 * @property {Thermostat} thermostat
 * @property {string | null} scene
 */

/**
 * @typedef {object} Entry a line of a ledger; money is text in dollars, such as "-1,054.20"
 * @property {string} when
 * @property {string} what
 * @property {string} amount
 * @property {string} balance after it
 */

/**
 * @typedef {object} Account
 * @property {string} name
 * @property {string} label
 * @property {string} number the part of it that may be shown
 * @property {string} balance
 * @property {boolean} owed the balance is what the customer owes
 * @property {Entry[]} ledger newest first
 */

/** @typedef {"active" | "not activated" | "blocked" | "cancelled" | "ordered"} CardStatus */

/**
 * @typedef {object} Card
 * @property {string} type "debit" or "credit"
 * @property {string} last_four
 * @property {CardStatus} status
 * @property {string} note may be empty
 */

/** @typedef {{id: string, card: string, amount: string, what: string}} Case */

/** @typedef {{payee: string, amount: string}} Bill */

/**
 * @typedef {object} BankWorld
 * @property {Account[]} accounts
 * @property {Card[]} cards
 * @property {Case[]} cases of fraud
 * @property {Bill[]} bills paid, newest first
 * @property {{department: string, text: string} | null} queue for a member of staff
 */

/**
 * @typedef {object} TreeEntry
 * @property {string} path
 * @property {string} name
 * @property {"file" | "dir"} kind
 * @property {number} size bytes
 * @property {number} depth 0 for what comes first
 * @property {boolean} hidden
 * @property {boolean} here it is the current folder
 */

/**
 * @typedef {object} FilesWorld
 * @property {string} cwd as shown, "~/projects"
 * @property {TreeEntry[]} tree depth first
 * @property {number} used bytes
 */

/** @typedef {HomeWorld | BankWorld | FilesWorld} World of one catalog */

/** @typedef {{kind: "terminal", command: string, output: string, error: boolean}} TerminalData */

/** @typedef {{kind: "table", title: string, columns: string[], rows: string[][]}} TableData */

/** @typedef {{kind: "facts", rows: [string, string][]}} FactsData */

/** @typedef {TerminalData | TableData | FactsData} Data what an answer has to show besides words */

export {};
