-- Counts the claims of a job and is the fence of the newest one: attempts can be set back by hand, and a run that goes
-- on since before that must not end the one that has its number now.
ALTER TABLE background_service_jobs ADD COLUMN fence INTEGER NOT NULL DEFAULT 0;
