SELECT min(scheduled_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' FROM procrastinate_jobs
WHERE status = 'todo' AND scheduled_at AT TIME ZONE 'UTC' <= %(now)s::timestamptz AT TIME ZONE 'UTC'
