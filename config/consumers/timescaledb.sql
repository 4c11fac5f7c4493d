-- The table for telegraf-timescaledb.conf: psql plant < timescaledb.sql
-- On plain PostgreSQL leave out the line with create_hypertable.

create table if not exists reading (
    time timestamptz not null,
    device text not null,
    tag text not null,
    run text not null,
    seq bigint not null,
    value double precision,
    text text,
    quality text not null,
    history boolean not null,
    primary key (device, run, seq, tag, time)
);

-- What is there already is let go: a unique key alone would make the whole copy fail.
create or replace function reading_once() returns trigger language plpgsql as $$
begin
    if exists (
        select 1 from reading
        where device = new.device and run = new.run and seq = new.seq and tag = new.tag and time = new.time
    ) then
        return null;
    end if;
    return new;
end;
$$;

create or replace trigger reading_once before insert on reading for each row execute function reading_once();

select create_hypertable('reading', 'time', if_not_exists => true);
