-- Fan-outs, one job for each tenant: docs/formats/control-database.md. A fan-out is a batch, whose members are its jobs.

-- Tenants by number up to `until` are visited, the last of which was `after`; of these `made` have a job and `skipped` have none, and `tenants`
-- there were at the start. `under_way` 1: a dispatcher has something to do. `cancelled_until`: once it is cancelled, the members up to this
-- one were looked at. `concurrency`: the key as it is stored, or empty. `rate_starts` 0: no rate. `envelope`: without a tenant, and sealed where jobs are.
create table fan_out(
  batch integer primary key,
  key text not null,
  queue text not null,
  kind text not null,
  priority integer not null,
  attempts_max integer not null,
  start_within_us integer not null,
  concurrency text not null,
  running_max integer not null,
  window_us integer not null check (window_us >= 0),
  rate_starts integer not null,
  rate_window_us integer not null,
  until integer not null,
  tenants integer not null,
  after integer not null default 0,
  visited integer not null default 0,
  made integer not null default 0,
  skipped integer not null default 0,
  vanished integer not null default 0,
  cancelled_until integer not null default 0,
  under_way integer not null check (under_way between 0 and 1),
  problem text not null default '',
  envelope blob not null
) strict;

create index fan_out_key on fan_out(key, batch) where key <> '';
-- Few.
create index fan_out_under_way on fan_out(batch) where under_way = 1;

-- Tenants without a job. `reason`: 1 provisioning, 2 paused, 3 read_only, 4 failed, 5 deleted, 6 gone, 7 refused. Of those whose rows have
-- gone from the registry none is here: fan_out.vanished counts them.
create table fan_out_skip(
  batch integer not null,
  tenant integer not null,
  reason integer not null check (reason between 1 and 7),
  skipped_us integer not null,
  primary key (batch, tenant)
) strict, without rowid;

-- Raised by every start and cancel, so that a dispatcher reads them only then.
insert into mark(name, seq) values ('fan_outs', 0);

create trigger fan_out_inserted after insert on fan_out
begin
  update mark set seq = seq + 1 where name = 'fan_outs';
end;

create view fan_outs as
select batch.number, batch.name, fan_out.key, kind, queue, tenants, visited, made, skipped,
       case when completed_us is not null then 'complete' when under_way = 0 then 'waiting'
            when cancelled_us is not null then 'cancelling' else 'visiting' end as state,
       strftime('%Y-%m-%dT%H:%M:%SZ', created_us / 1000000, 'unixepoch') as started, problem
from fan_out join batch on batch.number = fan_out.batch;
