-- Whatever `GET /v1/activity` is asked for, there is an index that holds it newest first, so that a page costs the same
-- whatever the log's length. The index of request ids was a hash: those are the caller's own, one that gives all its
-- requests the same had them all read at once, and a hash wrote 300 bytes of WAL a row more.
drop index activity_log_account_id_mode_coalesce_id_idx;
drop index activity_log_account_id_mode_status_id_idx;
drop index activity_log_request_id_idx;
-- For the one, the other or both: there are few pairs of them, which can be listed from the index itself.
create index on activity_log (account_id, mode, method, status, id);
create index on activity_log (account_id, mode, request_id, id);
create index on activity_log (account_id, mode, ip, id);
-- Each row is in one of the two. The planner does not look for `coalesce(key_id, user_id)` below the policies: what it
-- cannot prove to keep foreign rows to itself, as few expressions are, comes after them.
create index on activity_log (account_id, mode, key_id, id) where key_id is not null;
create index on activity_log (account_id, mode, user_id, id) where user_id is not null;
