-- Whose jobs a pool takes, and which of its slots are kept, as the dispatcher has told: docs/formats/control-database.md.

-- 0: those of all tenants; 1: only of those in pool_tenant; 2: of all but those.
alter table pool add column tenants integer not null default 0 check (tenants between 0 and 2);

-- By name, since a tenant may come later; 'none': the jobs without a tenant.
create table pool_tenant(
  pool text not null,
  tenant text not null,
  primary key (pool, tenant)
) strict, without rowid;

-- So many slots are kept for jobs of that priority or better.
create table pool_reserved(
  pool text not null,
  priority integer not null,
  slots integer not null check (slots >= 1),
  primary key (pool, priority)
) strict, without rowid;
