pragma user_version = 0;
pragma application_id = 825687159;
CREATE TABLE tenure_stamp (
  only_one integer not null primary key check (only_one = 1),
  schema integer not null,
  tenant text not null,
  generation integer not null check (generation > 0),
  application text not null,
  state integer not null,
  outbox_epoch integer not null
) strict;
CREATE TABLE tenure_receipts (
  job_id blob not null check (length(job_id) = 16),
  step text not null,
  incarnation integer not null,
  counter integer not null,
  written_us integer not null,
  result blob,
  primary key (job_id, step)
) strict, without rowid;
CREATE TABLE tenure_outbox (
  seq integer not null primary key autoincrement,
  job_id blob not null unique check (length(job_id) = 16),
  envelope blob not null
) strict;
CREATE TABLE tenure_migration(
    number integer primary key,
    name text not null,
    hash text not null,          -- FNV-1a, 64 bits, of the step's text
    applied_us integer not null
  ) strict;
CREATE TABLE invoice (id integer primary key, paid_at text, rate integer) strict;
CREATE TABLE line (id integer primary key, number integer not null) strict;
CREATE TABLE note (text text not null) strict;
CREATE TABLE tenure_capsule (
  only_one integer primary key check (only_one = 1),
  version integer not null,
  tenure_version text not null,
  program_version text not null,
  application text not null,
  started_us integer not null,
  masked text not null,
  job_id text not null,
  tenant text not null,
  generation integer not null,
  kind text not null,
  envelope text not null,
  cursor blob not null,
  attempt integer not null,
  attempts_max integer not null,
  releases integer not null,
  time_limit_us integer not null,
  seq integer not null,
  incarnation integer not null,
  counter integer not null,
  request integer,
  request_on integer,
  seed integer not null,
  outcome text not null,
  failure_code integer,
  error text,
  cursor_after blob not null,
  tables_not_recorded text not null
) strict;
CREATE TABLE tenure_capsule_reading (
  number integer primary key,
  time_us integer not null
) strict;
CREATE TABLE tenure_capsule_recorded (
  number integer primary key,
  name text not null,
  value text,
  failure_code integer,
  message text,
  tenant text,
  place text
) strict;
CREATE TABLE tenure_capsule_job (
  number integer primary key,
  id text not null,
  kind text not null,
  queue text not null,
  priority integer not null,
  due_us integer not null,
  attempts_max integer not null,
  arguments text not null
) strict;
CREATE TABLE tenure_capsule_change (
  number integer primary key,
  table_name text not null,
  kind integer not null,
  key text not null,
  before text,
  after text
) strict;
CREATE TABLE tenure_capsule_digest (
  only_one integer primary key check (only_one = 1),
  sha256 text not null
) strict;
insert into "invoice" (rowid, "id", "paid_at", "rate") values (7, 7, NULL, NULL);
insert into "invoice" (rowid, "id", "paid_at", "rate") values (8, 8, NULL, NULL);
insert into "note" (rowid, "text") values (1, 'a note of acme');
delete from sqlite_sequence;
insert into "tenure_capsule" (rowid, "only_one", "version", "tenure_version", "program_version", "application", "started_us", "masked", "job_id", "tenant", "generation", "kind", "envelope", "cursor", "attempt", "attempts_max", "releases", "time_limit_us", "seq", "incarnation", "counter", "request", "request_on", "seed", "outcome", "failure_code", "error", "cursor_after", "tables_not_recorded") values (1, 1, 1, '0.1.0', 'replay 1', 'test', 1796042859618425, '[]', '01a22c7f-2462-7215-916f-b76270969bd8', 'acme', 1, 'test.pay', 'tenure/1 01a22c7f-2462-7215-916f-b76270969bd8 acme 1 test.pay 13
{"invoice":7}', X'', 1, 1, 0, 0, 1, 1, 1, 1, 1, 1095088648812770328, 'HandlerFailed', 60, 'std::runtime_error: no answer from the bank', X'', '["note"]');
insert into "tenure_capsule_change" (rowid, "number", "table_name", "kind", "key", "before", "after") values (1, 1, 'invoice', 2, '{"id":7}', '{"paid_at":null,"rate":null}', '{"paid_at":"1796042859619183","rate":117}');
insert into "tenure_capsule_change" (rowid, "number", "table_name", "kind", "key", "before", "after") values (2, 2, 'line', 1, '{"id":1}', NULL, '{"id":1,"number":880506776}');
insert into "tenure_capsule_digest" (rowid, "only_one", "sha256") values (1, 1, 'c19591f5113ac3fbd4bb6421c02e8e4c1b8a9ddfa650a1b3738fc3b7678d7f36');
insert into "tenure_capsule_job" (rowid, "number", "id", "kind", "queue", "priority", "due_us", "attempts_max", "arguments") values (1, 1, '01a22c7f-2463-7700-9fa6-c27e2eb1197e', 'test.tell', 'default', 0, 1796042859619227, 10, '{"text":"paid"}');
insert into "tenure_capsule_reading" (rowid, "number", "time_us") values (1, 1, 1796042859619183);
insert into "tenure_capsule_reading" (rowid, "number", "time_us") values (2, 2, 1796042859619220);
insert into "tenure_capsule_reading" (rowid, "number", "time_us") values (3, 3, 1796042859619227);
insert into "tenure_capsule_recorded" (rowid, "number", "name", "value", "failure_code", "message", "tenant", "place") values (1, 1, 'rate', '117', NULL, NULL, NULL, NULL);
insert into "tenure_capsule_recorded" (rowid, "number", "name", "value", "failure_code", "message", "tenant", "place") values (2, 2, 'fee', '117', NULL, NULL, NULL, NULL);
insert into "tenure_migration" (rowid, "number", "name", "hash", "applied_us") values (1, 1, '0001_books.sql', '1e1074b5eb88044f', 1796042859382188);
insert into "tenure_stamp" (rowid, "only_one", "schema", "tenant", "generation", "application", "state", "outbox_epoch") values (1, 1, 1, 'acme', 1, 'test', 2, 1);
