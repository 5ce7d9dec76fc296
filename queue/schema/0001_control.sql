-- The control database: tenants, jobs and who runs them. States, reasons and outcomes are the numbers of types.hpp and
-- registry.hpp; times are microseconds since 1970, UTC. The views at the end show all of it in words.
--
-- A job is written once, in the order of commits, and where it stands is told by the table that holds it:
--   its row says 4 to 7      it has ended so
--   claim                    it runs
--   scheduled, blocked       it waits for its time, or for what blocks it
--   ready                    it waits in its lane
--   ended                    it has succeeded, and its row does not say so yet
--   none of these            it is fresh: enqueued when due and above mark 'absorbed', it waits in its lane
--
-- Rows carry no foreign keys: the store looks tenant, queue and kind up in the same transaction, and a check of each by
-- SQLite again costs an enqueue a third of its time.

create table meta(
  name text primary key,
  value any not null
) strict, without rowid;

insert into meta(name, value) values ('store_id', lower(hex(randomblob(16)))), ('epoch', 1);

-- One row for each (name, generation), kept when it is deleted: a number never comes back. Number 0 stands for all that
-- is untenanted.
create table tenant(
  number integer primary key autoincrement,
  name text,
  generation integer not null check (generation >= 0),
  state integer not null check (state between 1 and 8),
  created_us integer not null,
  unique (name, generation),
  check ((number = 0) = (name is null))
) strict;

create unique index tenant_live on tenant(name) where state <> 8;

insert into tenant(number, name, generation, state, created_us) values (0, null, 0, 2, 0);

create table queue(
  number integer primary key autoincrement,
  name text not null unique
) strict;

create table kind(
  number integer primary key autoincrement,
  name text not null unique
) strict;

-- Appended by the enqueue, written again on the rare ways (a failed attempt, an operator, an end without success) and once when
-- the end is settled. `seq` is the order of commits; the next one is the greatest plus one, and the trigger below keeps that row.
-- `state`: 2 as it was enqueued when due, 1 it has a place of its own in scheduled, blocked or ready, 4 to 7 it has ended.
-- `failures` and `crashes` count against the present budget and are 0 again after an operator's retry; attempt rows keep the
-- history. Until a job ends, `started_us` and `finished_us` hold created_us: a row that grew at its end would split its page.
-- `started_us` is 0 where an operator ended the job while it waited.
-- The envelope is last, so that nothing else is read through it.
create table job(
  seq integer primary key,
  id blob not null unique check (length(id) = 16),
  tenant integer not null,
  queue integer not null,
  kind integer not null,
  priority integer not null check (priority between -100 and 100),
  due_us integer not null,
  created_us integer not null,
  state integer not null check (state between 1 and 7 and state <> 3),
  reason integer not null default 0 check (reason between 0 and 254),
  attempts_max integer not null check (attempts_max between 1 and 1000),
  failures integer not null default 0 check (failures between 0 and 2147483647),
  crashes integer not null default 0 check (crashes between 0 and 2147483647),
  releases integer not null default 0 check (releases between 0 and 2147483647),
  started_us integer not null,
  finished_us integer not null,
  envelope blob not null
) strict;

create trigger job_newest_stays before delete on job when old.seq = (select max(seq) from job)
begin
  select raise(abort, 'the newest row of job stays: the next number is made from it');
end;

-- What operators look for: ends that were no success. Succeeded jobs, by far the most, are in no index.
create index job_failed on job(state, seq, queue, priority, tenant, kind) where state > 4;

-- Waiting jobs in the order in which a claim takes them, each lane one prefix. Fresh ones are absorbed into it in batches.
create table ready(
  queue integer not null,
  priority integer not null check (priority between -100 and 100),
  tenant integer not null,
  kind integer not null,
  due_us integer not null,
  seq integer not null,
  primary key (queue, priority, tenant, kind, due_us, seq)
) strict, without rowid;

-- The lane lies beside, so that promotion and counts look at no job. `due_us` is the job's.
create table scheduled(
  due_us integer not null,
  seq integer not null,
  queue integer not null,
  priority integer not null check (priority between -100 and 100),
  tenant integer not null,
  kind integer not null,
  primary key (due_us, seq)
) strict, without rowid;

create table blocked(
  seq integer primary key,
  reason integer not null check (reason between 0 and 254),
  queue integer not null,
  priority integer not null check (priority between -100 and 100),
  tenant integer not null,
  kind integer not null,
  due_us integer not null
) strict;

create index blocked_reason on blocked(reason, seq);

-- Who runs a job now. A job is running exactly while it has one. `key` is what a concurrency limit counts by.
create table claim(
  seq integer primary key,
  incarnation integer not null,
  counter integer not null,
  process integer not null,
  key text,
  started_us integer not null
) strict;

-- Jobs that run and that an operator has asked to cancel, in the order in which it was asked. A row is of the claim that it names
-- and goes with it; where the job has another claim the row says nothing. `number` only grows, so that the dispatcher reads what is
-- new behind the last one it has seen.
create table cancel_request(
  number integer primary key autoincrement,
  seq integer not null unique,
  incarnation integer not null,
  counter integer not null,
  asked_us integer not null
) strict;

-- How far a job that runs has come, as its handler has told last. A row is of the claim that it names and goes with it. `total` 0: not
-- known.
create table progress(
  seq integer primary key,
  incarnation integer not null,
  counter integer not null,
  done integer not null check (done >= 0),
  total integer not null check (total >= 0),
  text text not null,
  told_us integer not null
) strict;

-- Where a job that has not ended for good goes on when it runs again, as its last run has said.
create table job_cursor(
  seq integer primary key,
  cursor blob not null,
  saved_us integer not null
) strict;

-- Successes that are not yet in their jobs' rows, in the order in which they came. A row whose job says that it has ended is
-- settled and waits for its deletion. The newest row stays: a number never comes back.
create table ended(
  number integer primary key,
  seq integer not null,
  started_us integer not null,
  finished_us integer not null
) strict;

-- Which tenants have jobs between two sequences, both included: a list of one tenant passes over ranges that do not name it.
-- `tenants`: their numbers, 8 bytes each, the least byte first. Written by the dispatcher behind the tail; what lies in no
-- range is read.
create table job_range(
  first integer primary key,
  last integer not null check (last >= first),
  tenants blob not null
) strict;

-- 'absorbed': jobs up to this sequence that wait in a lane have a row of ready.
-- 'withdrawn': raised where an operator ends a job that has no row but its own, of which the dispatcher may know in memory.
-- 'tenants': raised by every change of a tenant, so that what was read of them at the same value is still true.
create table mark(
  name text primary key,
  seq integer not null
) strict, without rowid;

insert into mark(name, seq) values ('absorbed', 0), ('tenants', 0), ('withdrawn', 0);

create trigger tenant_inserted after insert on tenant begin update mark set seq = seq + 1 where name = 'tenants'; end;
create trigger tenant_updated after update on tenant begin update mark set seq = seq + 1 where name = 'tenants'; end;
create trigger tenant_deleted after delete on tenant begin update mark set seq = seq + 1 where name = 'tenants'; end;

-- Runs that did not succeed, in the order in which they ended. `performer`: the worker process, as the pool and its place in it
-- ('general.0'), '' where that is not known, and `pid` its number, 0 then. `exit_code` or `signal`: how that process ended, where the
-- run ended with it.
create table attempt(
  seq integer not null,
  number integer not null check (number between 1 and 2147483647),
  outcome integer not null check (outcome between 1 and 4),
  error_code integer check (error_code between 0 and 65535),
  error text not null default '',
  started_us integer,
  finished_us integer not null,
  incarnation integer not null,
  counter integer not null,
  process integer not null,
  performer text not null default '',
  pid integer not null default 0 check (pid between 0 and 2147483647),
  exit_code integer check (exit_code between 0 and 255),
  signal integer check (signal between 1 and 127),
  primary key (seq, number)
) strict, without rowid;

-- The lives of dispatchers on this database.
create table holder(
  incarnation integer primary key,
  node text not null,
  pid integer not null,
  started_us integer not null
) strict;

-- Jobs that somebody else than the dispatcher made ready; it takes these rows as its news.
create table lane_hint(
  number integer primary key autoincrement,
  seq integer not null
) strict;

-- Jobs that were claimed when the daemon died, or performed when their worker process ended and nobody was named, until their claims
-- end otherwise. They stand in `blocked` for the reason 10 (suspect),
-- wait for a retry, or have a claim. `deaths` counts those of the daemon in a row; 0: it was the worker process, and until it has
-- succeeded the job is claimed by itself only. The token is that of the newest claim; `trial` says how that one
-- was made: 1 as a suspect beside others that performed, 2 as a suspect alone, 0 otherwise, or its trial was over.
create table suspect(
  seq integer primary key,
  deaths integer not null check (deaths between 0 and 2147483647),
  trial integer not null check (trial between 0 and 2),
  incarnation integer not null,
  counter integer not null
) strict;

-- Who performs what, as the dispatcher `incarnation` has last told: for those who only look, who show by it which jobs are held.
-- Changed when a worker process comes or goes, never for a job. Names and no numbers: a kind may have no job yet.

-- `workers`: live worker processes that have said hello.
create table pool(
  name text primary key,
  incarnation integer not null,
  workers integer not null check (workers >= 0)
) strict, without rowid;

-- Those of them that take jobs, by the dispatcher's numbers, and how many jobs at once.
create table pool_process(
  pool text not null,
  process integer not null,
  slots integer not null check (slots >= 1),
  primary key (pool, process)
) strict, without rowid;

-- The queues that it lists.
create table pool_queue(
  pool text not null,
  queue text not null,
  primary key (pool, queue)
) strict, without rowid;

-- The queues to which jobs of its kinds go by default, and that it need not list.
create table pool_default_queue(
  pool text not null,
  queue text not null,
  primary key (pool, queue)
) strict, without rowid;

-- The kinds that its worker processes have named in their hellos; those of the last ones where it has none.
create table pool_kind(
  pool text not null,
  kind text not null,
  primary key (pool, kind)
) strict, without rowid;

-- Which keys seal the envelopes here: the hash of a text that is always the same, by each key. Place 1: the key in use, 2: the one
-- before it, whose seals are accepted. No row: jobs need no seal.
create table seal_mark(
  place integer primary key check (place in (1, 2)),
  hash blob not null check (length(hash) = 32)
) strict;

-- What operators have changed, a row in each commit that did. `hash` is SHA-256 over the one of the row before and this row's content:
-- docs/formats/control-database.md. `count` is of what was changed; `subject` names it, or is the filter that did.
create table audit(
  number integer primary key check (number >= 1),
  at_us integer not null,
  uid integer not null,
  login_uid integer,
  sudo_uid integer,
  login text not null,
  terminal text not null,
  host text not null,
  verb text not null,
  subject text not null,
  count integer not null,
  reason text not null,
  hash blob not null check (length(hash) = 32)
) strict;

-- 'head': the newest row, apart from it, so that rows that are cut off at the end are missed. 'anchor': the row before the first one
-- that is kept, which is row 1.
create table audit_mark(
  name text primary key,
  number integer not null,
  hash blob not null check (length(hash) = 32)
) strict, without rowid;

insert into audit_mark(name, number, hash) values ('anchor', 0, zeroblob(32)), ('head', 0, zeroblob(32));

create trigger audit_row_stays_as_it_is before update on audit
begin
  select raise(abort, 'rows of audit are never changed');
end;

create trigger audit_row_stays before delete on audit
when old.number > coalesce((select number from audit_mark where name = 'anchor'), 0)
begin
  select raise(abort, 'rows of audit behind the anchor stay');
end;

-- A row that is replaced fires no trigger for the one that goes.
create trigger audit_row_is_not_replaced before insert on audit
when exists (select 1 from audit where number = new.number)
begin
  select raise(abort, 'rows of audit are never replaced');
end;

create trigger audit_anchor_stays_as_it_is before update on audit_mark
when old.name = 'anchor' or new.name = 'anchor'
begin
  select raise(abort, 'the anchor of audit is never changed');
end;

create trigger audit_anchor_stays before delete on audit_mark
when old.name = 'anchor'
begin
  select raise(abort, 'the anchor of audit stays');
end;

create trigger audit_anchor_is_not_replaced before insert on audit_mark
when new.name = 'anchor'
begin
  select raise(abort, 'the anchor of audit is never replaced');
end;

create view tenants as
select number, coalesce(name, 'none') as name, generation,
       case state when 1 then 'provisioning' when 2 then 'active' when 3 then 'paused' when 4 then 'read_only'
                  when 5 then 'migrating' when 6 then 'failed' when 7 then 'draining' when 8 then 'deleted' end as state,
       strftime('%Y-%m-%dT%H:%M:%SZ', created_us / 1000000, 'unixepoch') as created
from tenant;

create view jobs as
with placed as (
  select job.*,
         claim.started_us as claimed_us, blocked.reason as blocked_for, ended.started_us as ended_started_us,
         ended.finished_us as ended_finished_us,
         case when job.state >= 4 then job.state
              when claim.seq is not null then 8
              when blocked.seq is not null then 3
              when exists (select 1 from scheduled where scheduled.due_us = job.due_us and scheduled.seq = job.seq) then 1
              when ended.seq is not null then 4
              else 2 end as place
  from job
  left join claim on claim.seq = job.seq
  left join blocked on blocked.seq = job.seq
  left join ended on ended.seq = job.seq
)
select placed.seq,
       lower(substr(hex(placed.id), 1, 8) || '-' || substr(hex(placed.id), 9, 4) || '-' || substr(hex(placed.id), 13, 4) || '-' ||
             substr(hex(placed.id), 17, 4) || '-' || substr(hex(placed.id), 21)) as id,
       case when place = 2 and tenant.state <> 2 then 'held'
            else case place when 1 then 'scheduled' when 2 then 'ready' when 3 then 'blocked' when 4 then 'succeeded'
                            when 5 then 'dead' when 6 then 'discarded' when 7 then 'cancelled' when 8 then 'running' end
       end as state,
       case case when place = 3 then blocked_for when place = 1 or placed.state > 4 then placed.reason else 0 end
            when 0 then 'none' when 1 then 'not_due' when 2 then 'retry_wait' when 3 then 'envelope_newer'
            when 4 then 'attempts_exhausted' when 5 then 'permanent_error' when 6 then 'poison'
            when 7 then 'expired' when 8 then 'by_rule' when 9 then 'by_operator' when 10 then 'suspect' end as reason,
       coalesce(tenant.name, 'none') as tenant, tenant.generation, queue.name as queue, kind.name as kind, placed.priority,
       strftime('%Y-%m-%dT%H:%M:%SZ', placed.due_us / 1000000, 'unixepoch') as due,
       strftime('%Y-%m-%dT%H:%M:%SZ', placed.created_us / 1000000, 'unixepoch') as created,
       strftime('%Y-%m-%dT%H:%M:%SZ', case when placed.state >= 4 then nullif(placed.started_us, 0)
                                           else coalesce(claimed_us, ended_started_us) end / 1000000, 'unixepoch') as started,
       strftime('%Y-%m-%dT%H:%M:%SZ', case when placed.state >= 4 then placed.finished_us
                                           else ended_finished_us end / 1000000, 'unixepoch') as finished,
       placed.failures, placed.crashes, placed.releases, placed.attempts_max, length(placed.envelope) as size_bytes
from placed
left join tenant on tenant.number = placed.tenant
left join queue on queue.number = placed.queue
left join kind on kind.number = placed.kind;

create view attempts as
select seq, number,
       case outcome when 1 then 'failed' when 2 then 'released' when 3 then 'interrupted' when 4 then 'lost' end as outcome,
       error_code, error,
       strftime('%Y-%m-%dT%H:%M:%SZ', attempt.started_us / 1000000, 'unixepoch') as started,
       strftime('%Y-%m-%dT%H:%M:%SZ', finished_us / 1000000, 'unixepoch') as finished,
       attempt.incarnation || '.' || counter as claim, process, holder.node, performer, attempt.pid, exit_code, signal
from attempt
left join holder on holder.incarnation = attempt.incarnation;
