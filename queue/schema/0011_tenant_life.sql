-- What operators make of tenants: paused and deleted ones. docs/formats/control-database.md.

-- `state`: what the tenant is once it is resumed, 2 active or 4 read_only. The tenant is `paused` as long as it has a row, or was so when
-- it failed.
create table tenant_pause(
  tenant integer primary key,
  state integer not null check (state in (2, 4)),
  paused_us integer not null,
  until_us integer,
  uid integer not null,
  login text not null,
  reason text not null
) strict;

create index tenant_pause_until on tenant_pause(until_us) where until_us is not null;

-- With the mark of other pauses, so that a dispatcher notices one that ends before those it knows.
create trigger tenant_pause_inserted after insert on tenant_pause
begin
  update mark set seq = seq + 1 where name = 'pauses';
end;
create trigger tenant_pause_updated after update on tenant_pause
begin
  update mark set seq = seq + 1 where name = 'pauses';
end;
create trigger tenant_pause_deleted after delete on tenant_pause
begin
  update mark set seq = seq + 1 where name = 'pauses';
end;

-- Tenants whose state has changed, for the dispatcher, which deletes the rows that it has read.
create table tenant_hint(
  tenant integer primary key
) strict;

create trigger tenant_state_changed after update of state on tenant when old.state <> new.state
begin
  insert or ignore into tenant_hint(tenant) values (new.number);
end;

-- Tenants that were deleted. `step`: 1 draining, 2 buried, 3 erased, 4 taken_back. `erase_us`: once it is buried.
create table tenant_deletion(
  tenant integer primary key,
  step integer not null check (step between 1 and 4),
  begun_us integer not null,
  erase_us integer,
  size_bytes integer not null default 0 check (size_bytes >= 0),
  uid integer not null,
  login text not null,
  reason text not null
) strict;

create index tenant_deletion_open on tenant_deletion(tenant) where step < 3;

create view tenant_pauses as
select tenant.name, tenant.generation, strftime('%Y-%m-%dT%H:%M:%SZ', paused_us / 1000000, 'unixepoch') as paused,
       strftime('%Y-%m-%dT%H:%M:%SZ', until_us / 1000000, 'unixepoch') as until, uid, login, reason
from tenant_pause join tenant on tenant.number = tenant_pause.tenant;

create view deletions as
select tenant.name, tenant.generation,
       case step when 1 then 'draining' when 2 then 'buried' when 3 then 'erased' else 'taken_back' end as step,
       strftime('%Y-%m-%dT%H:%M:%SZ', begun_us / 1000000, 'unixepoch') as begun,
       strftime('%Y-%m-%dT%H:%M:%SZ', erase_us / 1000000, 'unixepoch') as erase, size_bytes, uid, login, reason
from tenant_deletion join tenant on tenant.number = tenant_deletion.tenant;
