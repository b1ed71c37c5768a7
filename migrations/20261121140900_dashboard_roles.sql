-- A dashboard shows what the API would answer to the same person: nothing of an account that is on its way out, and counts
-- of usage only to roles with the scope `usage:read` (ROLE_SCOPES in src/features/members; a test compares).

-- The accounts of the token's user, closed ones apart, in which they have one of the roles; null for any role.
create function app.my_accounts(roles text[]) returns setof uuid
  language sql stable security definer set search_path = ''
  as $$
    select m.account_id from public.users u join public.members m on m.user_id = u.id
    where u.firebase_uid = app.claims() ->> 'sub'
      and app.claims() ->> 'aud' = u.firebase_project
      and app.claims() ->> 'iss' = 'https://securetoken.google.com/' || u.firebase_project
      and (roles is null or m.role = any(roles))
      and not app.is_closed(m.account_id)
  $$;

create or replace function app.my_accounts() returns setof uuid
  language sql stable security definer set search_path = ''
  as $$ select app.my_accounts(null) $$;

revoke all on function app.my_accounts(text[]) from public;
grant execute on function app.my_accounts(text[]) to authenticated;

alter policy member_reads on usage_counts
  using (account_id = any (array(select app.my_accounts('{owner,admin,developer,viewer}'))));
