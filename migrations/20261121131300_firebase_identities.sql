-- An identity is a project and a uid: the same uid under another Firebase project is another person.
alter table users drop constraint users_firebase_uid_key;
alter table users add unique (firebase_uid, firebase_project);
