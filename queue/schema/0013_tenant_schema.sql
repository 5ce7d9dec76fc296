-- Tenants whose databases are older than worker programs want: docs/formats/control-database.md.

-- `wanted`: the tenant's database has had fewer migrations than that, as a worker process has found, which has said `told`.
create table tenant_behind(
  tenant integer primary key,
  wanted integer not null check (wanted >= 1),
  told text not null,
  since_us integer not null
) strict;

-- How many migrations a tenant must have had at least for jobs of the kind in one of the pool's processes; 0: it does not matter.
alter table pool_kind add column schema_min integer not null default 0 check (schema_min >= 0);

-- Raised by every change of what is known, so that a dispatcher reads it only then.
insert into mark(name, seq) values ('schemas', 0);

create trigger tenant_behind_inserted after insert on tenant_behind
begin
  update mark set seq = seq + 1 where name = 'schemas';
end;
create trigger tenant_behind_updated after update on tenant_behind
begin
  update mark set seq = seq + 1 where name = 'schemas';
end;
create trigger tenant_behind_deleted after delete on tenant_behind
begin
  update mark set seq = seq + 1 where name = 'schemas';
end;

create view tenants_behind as
select tenant.name as tenant, tenant.generation, wanted, told,
       strftime('%Y-%m-%dT%H:%M:%SZ', since_us / 1000000, 'unixepoch') as since
from tenant_behind join tenant on tenant.number = tenant_behind.tenant;
