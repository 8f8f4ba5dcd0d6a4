resource "google_service_account" "scheduler" {
  project      = local.project
  account_id   = "floyd-scheduler"
  display_name = "Floyd: wakes the sweeper"
}

resource "google_cloud_scheduler_job" "sweep" {
  for_each = toset(local.released)

  project          = local.project
  region           = var.region
  name             = "floyd-sweep"
  schedule         = "* * * * *"
  attempt_deadline = "${local.functions.sweep.seconds}s"

  retry_config {
    retry_count = 0 # the next minute is the retry
  }
  http_target {
    http_method = "POST"
    uri         = google_cloudfunctions2_function.this["sweep"].service_config[0].uri
    oidc_token {
      service_account_email = google_service_account.scheduler.email
      audience              = google_cloudfunctions2_function.this["sweep"].service_config[0].uri
    }
  }
}
