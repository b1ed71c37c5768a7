-- Makes the partitions of the weeks ahead. Runs as its owner, because the program itself may create no tables.
create procedure app.prepare_partitions()
  language plpgsql security definer set search_path = ''
as $$
begin
  call app.make_partitions('public.messages'::regclass, current_date - 7, current_date + 28);
  call app.make_partitions('public.events'::regclass, current_date - 7, current_date + 28);
end $$;

revoke all on procedure app.prepare_partitions() from public;
revoke all on procedure app.make_partitions(regclass, date, date) from public;
revoke all on procedure app.protect(regclass, text, text) from public;
grant execute on procedure app.prepare_partitions() to service_role;
