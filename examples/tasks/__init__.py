"""Twenty-eight everyday tasks, each the shortest program for it: jobs (14) and providers (14)."""
