-- As before, but by what the clock on the wall shows where it is set back across midnight (the Azores, Cuba), so that a day
-- begins at the first of its two midnights; and where it is changed by half an hour (Lord Howe), so that hours after it
-- begin at full hours again. Both ends of the range are on quarters of an hour, as is every change of a clock.
create or replace function app.usage_buckets(since timestamptz, until timestamptz, bucket text, zone text)
  returns table (starts timestamptz, ends timestamptz)
  language sql stable
  as $$
    with starts as (
      select $1 as start
      union
      select t from generate_series($1, $2 - interval '1 microsecond', interval '15 minutes') as t
      where $3 = 'hour' and (extract(minute from t at time zone $4) = 0
        or date_trunc('hour', t at time zone $4) <> date_trunc('hour', (t - interval '15 minutes') at time zone $4))
      union
      select case when early at time zone $4 = midnight then least(early, late) else late end
      from generate_series(date_trunc($3, $1 at time zone $4), ($2 - interval '1 microsecond') at time zone $4,
        ('1 ' || $3)::interval) as midnight
      -- Of two midnights Postgres takes the second; the first is the one by the clock of the day before.
      cross join lateral (select midnight at time zone $4 as late) l
      cross join lateral (
        select late - (((late - interval '24 hours') at time zone $4 - (late - interval '24 hours') at time zone 'UTC')
          - (midnight - late at time zone 'UTC')) as early
      ) e
      where $3 <> 'hour'
    )
    select start, lead(start, 1, $2) over (order by start) from starts where start >= $1 and start < $2 order by 1
  $$;
