-- Per row these write to procrastinate_events and tell Procrastinate's own workers, of which there are none here. They
-- take half of the time of each move; attempts are kept in background_service_job_attempts, and one notification per
-- statement is enough.
ALTER TABLE procrastinate_jobs
    DISABLE TRIGGER procrastinate_trigger_status_events_insert_v1,
    DISABLE TRIGGER procrastinate_trigger_status_events_update_v1,
    DISABLE TRIGGER procrastinate_trigger_scheduled_events_v1,
    DISABLE TRIGGER procrastinate_trigger_abort_requested_events_v1,
    DISABLE TRIGGER procrastinate_jobs_notify_queue_job_inserted_v1
