UPDATE background_service_jobs
SET progress = coalesce(?, progress), progress_message = coalesce(?, progress_message), logs = coalesce(?, logs),
    updated_at = ?
WHERE id = ? AND status = 'RUNNING' AND claimed_by = ? AND fencing_token = ?
