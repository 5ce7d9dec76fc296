-- What the last migration of each tenant has done, which tenants a dispatcher has to read again, and which kinds only read:
-- docs/formats/control-database.md.

-- 1: jobs of the kind only read, so they run where their tenant is read-only, too.
alter table pool_kind add column reads_only integer not null default 0 check (reads_only in (0, 1));

-- `from_schema` and `to_schema`: how many migrations its database had had and has had since; both 0 where it has failed and nobody could say.
-- `former_state`: of a tenant that is `failed` for that, what it was.
create table tenant_migration(
  tenant integer primary key,
  from_schema integer not null check (from_schema >= 0),
  to_schema integer not null check (to_schema >= 0),
  ended_us integer not null,
  took_us integer not null check (took_us >= 0),
  error text not null default '',
  former_state integer
) strict;

-- The mark of `schemas` at the last change of what is known of the tenant, so that a dispatcher reads only what has changed; a row goes when
-- it has been read.
create table tenant_behind_change(
  tenant integer primary key,
  seq integer not null
) strict;
create index tenant_behind_change_seq on tenant_behind_change(seq);
create index tenant_behind_since on tenant_behind(since_us);

drop trigger tenant_behind_inserted;
drop trigger tenant_behind_updated;
drop trigger tenant_behind_deleted;
create trigger tenant_behind_inserted after insert on tenant_behind
begin
  update mark set seq = seq + 1 where name = 'schemas';
  delete from tenant_behind_change where tenant = new.tenant;
  insert into tenant_behind_change(tenant, seq) select new.tenant, seq from mark where name = 'schemas';
end;
create trigger tenant_behind_updated after update on tenant_behind
begin
  update mark set seq = seq + 1 where name = 'schemas';
  delete from tenant_behind_change where tenant = new.tenant;
  insert into tenant_behind_change(tenant, seq) select new.tenant, seq from mark where name = 'schemas';
end;
create trigger tenant_behind_deleted after delete on tenant_behind
begin
  update mark set seq = seq + 1 where name = 'schemas';
  delete from tenant_behind_change where tenant = old.tenant;
  insert into tenant_behind_change(tenant, seq) select old.tenant, seq from mark where name = 'schemas';
end;

create view tenant_migrations as
select tenant.name as tenant, tenant.generation, from_schema, to_schema,
       strftime('%Y-%m-%dT%H:%M:%SZ', ended_us / 1000000, 'unixepoch') as ended, took_us, error
from tenant_migration join tenant on tenant.number = tenant_migration.tenant;
