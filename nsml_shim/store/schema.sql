CREATE TABLE sessions (
    id          INTEGER PRIMARY KEY,
    owner       TEXT NOT NULL,
    dataset     TEXT NOT NULL,
    number      INTEGER NOT NULL,
    kind        TEXT NOT NULL,              -- normal, normal/fork, submit, submit(test), infer
    status      TEXT NOT NULL,              -- Allocated, Running, Stopping, Exited
    cause       TEXT NOT NULL DEFAULT '',   -- why it is Exited, in words
    exit_code   INTEGER,
    entry       TEXT NOT NULL,
    args        TEXT NOT NULL,              -- JSON list, as typed by the user
    memo        TEXT NOT NULL DEFAULT '',
    gpus        INTEGER NOT NULL,
    cpus        INTEGER NOT NULL,
    memory      INTEGER NOT NULL,           -- bytes
    shm_size    INTEGER NOT NULL,           -- bytes
    parent      TEXT NOT NULL DEFAULT '',   -- session it was forked or submitted from
    checkpoint  TEXT NOT NULL DEFAULT '',   -- checkpoint it started from
    interpreter TEXT NOT NULL,
    interactive INTEGER NOT NULL DEFAULT 0,
    summary     TEXT NOT NULL DEFAULT '{}', -- JSON: the last report with summary=True
    created_at  REAL NOT NULL,
    started_at  REAL,
    ended_at    REAL,
    pid         INTEGER,                    -- of its process, while it runs
    slots       TEXT NOT NULL DEFAULT '[]', -- JSON list: the GPUs or CPU workers it was given
    UNIQUE (owner, dataset, number)
);
-- Numbers are never used twice, also after `nsml rm`.
CREATE TABLE counters (
    owner   TEXT NOT NULL,
    dataset TEXT NOT NULL,
    last    INTEGER NOT NULL,
    PRIMARY KEY (owner, dataset)
);
CREATE TABLE checkpoints (
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    saved_at   REAL NOT NULL,
    elapsed    REAL NOT NULL,
    summary    TEXT NOT NULL,               -- JSON
    size       INTEGER NOT NULL,            -- bytes
    PRIMARY KEY (session_id, name)
);
CREATE TABLE datasets (
    name        TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    author      TEXT NOT NULL,
    description TEXT NOT NULL,
    tags        TEXT NOT NULL,
    size        INTEGER NOT NULL,           -- bytes
    modified_at REAL NOT NULL
);
CREATE TABLE submissions (
    id           INTEGER PRIMARY KEY,
    owner        TEXT NOT NULL,
    dataset      TEXT NOT NULL,
    version      INTEGER NOT NULL,          -- of the dataset it was scored on
    source       TEXT NOT NULL,             -- session whose checkpoint is scored
    checkpoint   TEXT NOT NULL,
    session_id   INTEGER REFERENCES sessions (id) ON DELETE SET NULL,
    args         TEXT NOT NULL,             -- JSON list, of the source
    trial        INTEGER NOT NULL,          -- 1: submit -t, never on the board
    status       TEXT NOT NULL,             -- PENDING, SCORED, FAILED
    score        REAL,
    score_text   TEXT NOT NULL DEFAULT '',  -- exactly as the evaluator printed it
    error        TEXT NOT NULL DEFAULT '',
    submitted_at REAL NOT NULL,
    finished_at  REAL
);
CREATE INDEX submissions_by_board ON submissions (dataset, owner, status);
