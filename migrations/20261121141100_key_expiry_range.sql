-- Times of the year 10000 were taken once, and no list of keys could show them.
update api_keys set expires_at = '9999-12-31 23:59:59+00' where expires_at > '9999-12-31 23:59:59+00';
alter table api_keys add constraint api_keys_expires_at_range check (expires_at <= '9999-12-31 23:59:59.999+00');
