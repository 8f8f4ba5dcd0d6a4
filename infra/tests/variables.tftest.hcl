# What variables refuse, and what stands before there is anything to run.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
}
mock_provider "google-beta" {}

variables {
  project_id = "demo-floyd"
  twilio     = { account_sid = "AC00000000000000000000000000000000", caller_number = "+14155550123" }
}

run "before_the_first_release" {
  command = plan

  assert {
    condition = (
      length(google_cloudfunctions2_function.this) + length(google_cloud_run_v2_service.relay) + length(google_cloud_scheduler_job.sweep) == 0
      && length(google_secret_manager_secret.this) == 6
    )
    error_message = "Without a release there is what a release needs (secrets, repository, bucket), and nothing that runs."
  }
}

run "refusals" {
  command = plan

  variables {
    billing_account = "my-billing"
    daily_spend     = 0
    max_calls       = 0
    min_instances   = { relay = 3 }
    project_id      = "Demo"
    region          = "us-central1-a"
    relay_shards    = 1
    release         = { commit = "main", bundle = "README.md", image = "relay:latest" }
    secret_versions = { OPENAI_API_KEY = "sk-not-a-version" }
    settings        = { OPENAI_API_KEY = "sk-in-the-state" }
    twilio          = { account_sid = "SK00000000000000000000000000000000", caller_number = "415 555 0123" }
    web_origins     = ["http://localhost:5173"]
  }

  expect_failures = [
    var.billing_account, var.daily_spend, var.max_calls, var.min_instances, var.project_id, var.region, var.relay_shards,
    var.release, var.secret_versions, var.settings, var.twilio, var.web_origins,
  ]
}
