-- The control database: tenants, jobs and who runs them. States, reasons and outcomes are the numbers of types.hpp and
-- registry.hpp; times are microseconds since 1970, UTC. The views at the end show all of it in words.
--
-- Rows of jobs carry no foreign keys: the store looks tenant, queue and kind up in the same transaction, and a check of
-- each by SQLite again costs an enqueue a third of its time.

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

-- Written when it is enqueued and when it ends; a claim does not touch it. `seq` is the order of commits; the next one is the
-- greatest plus one, and the trigger below keeps that row. `failures` and `crashes` count against the present budget and are 0
-- again after an operator's retry; attempt rows keep the history.
-- Until a job ends, `started_us` and `finished_us` hold created_us: a row that grew at its end would split its page.
create table job(
  seq integer primary key,
  id blob not null unique check (length(id) = 16),
  state integer not null check (state between 1 and 7),
  tenant integer not null,
  queue integer not null,
  kind integer not null,
  priority integer not null,
  due_us integer not null,
  created_us integer not null,
  reason integer not null default 0,
  attempts_max integer not null,
  failures integer not null default 0,
  crashes integer not null default 0,
  releases integer not null default 0,
  size_bytes integer not null,
  started_us integer not null,
  finished_us integer not null
) strict;

create trigger job_newest_stays before delete on job when old.seq = (select max(seq) from job)
begin
  select raise(abort, 'the newest row of job stays: the next number is made from it');
end;

-- The lanes, each one prefix, in the order in which a claim takes its jobs: due_us, then seq, with which every index
-- entry ends anyway. Named in the index it would be stored twice and could not be sought by (3.40).
create index job_ready on job(queue, priority, tenant, kind, due_us) where state = 2;
create index job_scheduled on job(due_us) where state = 1;
-- What operators look for. Ready jobs are in the index above; succeeded ones, by far the most, are in none.
create index job_other on job(state, seq, queue, tenant) where state <> 2 and state <> 4;

-- A row of its own, so that a change of the job's state does not rewrite the payload.
create table payload(
  seq integer primary key,
  envelope blob not null
) strict;

-- Who runs a job now. A job is running exactly while it has one. `key` is what a concurrency limit counts by.
create table claim(
  seq integer primary key,
  incarnation integer not null,
  counter integer not null,
  process integer not null,
  key text,
  started_us integer not null
) strict;

-- Runs that did not succeed, in the order in which they ended.
create table attempt(
  seq integer not null,
  number integer not null,
  outcome integer not null check (outcome between 1 and 4),
  error_code integer,
  error text not null default '',
  started_us integer,
  finished_us integer not null,
  incarnation integer not null,
  counter integer not null,
  process integer not null,
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

create view tenants as
select number, coalesce(name, 'none') as name, generation,
       case state when 1 then 'provisioning' when 2 then 'active' when 3 then 'paused' when 4 then 'read_only'
                  when 5 then 'migrating' when 6 then 'failed' when 7 then 'draining' when 8 then 'deleted' end as state,
       strftime('%Y-%m-%dT%H:%M:%SZ', created_us / 1000000, 'unixepoch') as created
from tenant;

create view jobs as
select job.seq,
       lower(substr(hex(job.id), 1, 8) || '-' || substr(hex(job.id), 9, 4) || '-' || substr(hex(job.id), 13, 4) || '-' ||
             substr(hex(job.id), 17, 4) || '-' || substr(hex(job.id), 21)) as id,
       case when claim.seq is not null then 'running'
            when job.state = 2 and tenant.state <> 2 then 'held'
            else case job.state when 1 then 'scheduled' when 2 then 'ready' when 3 then 'blocked' when 4 then 'succeeded'
                                when 5 then 'dead' when 6 then 'discarded' when 7 then 'cancelled' end
       end as state,
       case job.reason when 0 then 'none' when 1 then 'not_due' when 2 then 'retry_wait' when 3 then 'envelope_newer'
                       when 4 then 'attempts_exhausted' when 5 then 'permanent_error' when 6 then 'poison'
                       when 7 then 'expired' when 8 then 'by_rule' when 9 then 'by_operator' end as reason,
       coalesce(tenant.name, 'none') as tenant, tenant.generation, queue.name as queue, kind.name as kind, job.priority,
       strftime('%Y-%m-%dT%H:%M:%SZ', job.due_us / 1000000, 'unixepoch') as due,
       strftime('%Y-%m-%dT%H:%M:%SZ', job.created_us / 1000000, 'unixepoch') as created,
       strftime('%Y-%m-%dT%H:%M:%SZ', coalesce(claim.started_us, case when job.state >= 4 then job.started_us end) / 1000000, 'unixepoch') as started,
       strftime('%Y-%m-%dT%H:%M:%SZ', case when job.state >= 4 then job.finished_us end / 1000000, 'unixepoch') as finished,
       job.failures, job.crashes, job.releases, job.attempts_max, job.size_bytes
from job
join tenant on tenant.number = job.tenant
join queue on queue.number = job.queue
join kind on kind.number = job.kind
left join claim on claim.seq = job.seq;

create view attempts as
select seq, number,
       case outcome when 1 then 'failed' when 2 then 'released' when 3 then 'interrupted' when 4 then 'lost' end as outcome,
       error_code, error,
       strftime('%Y-%m-%dT%H:%M:%SZ', started_us / 1000000, 'unixepoch') as started,
       strftime('%Y-%m-%dT%H:%M:%SZ', finished_us / 1000000, 'unixepoch') as finished,
       incarnation || '.' || counter as claim, process
from attempt;
