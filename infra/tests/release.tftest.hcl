# A release, applied to mocked providers. `make infra` runs this with no cloud and no account.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
}
mock_provider "google-beta" {}

variables {
  project_id = "demo-floyd"
  twilio     = { account_sid = "AC00000000000000000000000000000000", caller_number = "+14155550123" }
  release = {
    commit = "0123456789abcdef"
    bundle = "README.md"
    image  = "us-central1-docker.pkg.dev/demo-floyd/floyd/relay@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  }
  secret_versions = { OPENAI_API_KEY = "latest", TWILIO_AUTH_TOKEN = "7" }
}

run "release" {
  assert {
    condition     = [for each in google_cloudfunctions2_function.this : each.build_config[0].entry_point] == ["api", "carrier", "dial", "plan", "sweep"]
    error_message = "Five functions, each started at the entry point of its name in functions/main.py."
  }

  assert {
    condition = { for name, each in google_cloudfunctions2_function.this : name => [
      for trigger in each.event_trigger : [trigger.event_type, trigger.trigger_region, trigger.retry_policy, [
        for filter in trigger.event_filters : "${filter.attribute} ${filter.value}"
      ]]
      ] } == {
      api     = []
      carrier = []
      sweep   = []
      plan = [["google.cloud.firestore.document.v1.created", "us-central1", "RETRY_POLICY_RETRY", [
        "database (default)", "document users/{uid}/requests/{rid}/jobs/{id}",
      ]]]
      dial = [["google.cloud.firestore.document.v1.created", "us-central1", "RETRY_POLICY_DO_NOT_RETRY", [
        "database (default)", "document users/{uid}/requests/{rid}/calls/{attempt}",
      ]]]
    }
    error_message = "plan and dial start at creations, where the database is; a call is never ordered again by a retry."
  }

  assert {
    condition = { for name, each in google_cloudfunctions2_function.this : name => each.service_config[0].ingress_settings } == {
      api = "ALLOW_ALL", carrier = "ALLOW_ALL", dial = "ALLOW_INTERNAL_ONLY", plan = "ALLOW_INTERNAL_ONLY", sweep = "ALLOW_INTERNAL_ONLY"
    }
    error_message = "Only people and the carrier come from outside."
  }

  assert {
    condition = alltrue([for shard, relay in google_cloud_run_v2_service.relay : alltrue([
      relay.labels == tomap({ "floyd-relay" = shard }),
      relay.template[0].scaling[0].max_instance_count == 1,
      relay.scaling[0].min_instance_count == 0,
      relay.template[0].max_instance_request_concurrency == 1000,
      relay.template[0].timeout == "3600s",
      !relay.template[0].containers[0].resources[0].cpu_idle,
    ])]) && length(google_cloud_run_v2_service.relay) == 2
    error_message = "Two shards, found by their label, each one process that works between requests as long as a websocket may last."
  }

  assert {
    condition     = can(regex("^wss://c01234567-[0-9a-f]{4}---floyd-relay-1-123456789012.us-central1.run.app$", local.relays[1].url))
    error_message = "A relay's address is its revision's tag, its service and the project's number."
  }

  assert {
    condition = alltrue([for shard, relay in google_cloud_run_v2_service.relay : alltrue([
      contains([for env in relay.template[0].containers[0].env : env.value if env.name == "FLOYD_RELAY_URL"], local.relays[shard].url),
      startswith(relay.template[0].revision, "${relay.name}-"),
      length(relay.template[0].revision) <= 63,
      one(relay.traffic).revision == relay.template[0].revision,
      "wss://${one(relay.traffic).tag}---${relay.name}-${local.run_domain}" == local.relays[shard].url,
    ])])
    error_message = "Each relay knows its own address, which is where its first revision is tagged."
  }

  assert {
    condition = { for name, each in google_cloudfunctions2_function.this : name => {
      for secret in each.service_config[0].secret_environment_variables : secret.key => secret.version
      } } == {
      api     = { TWILIO_AUTH_TOKEN = "7" }
      carrier = { TWILIO_AUTH_TOKEN = "7" }
      dial    = { TWILIO_AUTH_TOKEN = "7" }
      plan    = { OPENAI_API_KEY = "latest", TWILIO_AUTH_TOKEN = "7" }
      sweep   = { TWILIO_AUTH_TOKEN = "7" }
    }
    error_message = "Each function reads only its secrets, and only those in use."
  }

  assert {
    condition = alltrue([
      google_cloud_scheduler_job.sweep["release"].schedule == "* * * * *",
      google_cloud_scheduler_job.sweep["release"].http_target[0].oidc_token[0].service_account_email == google_service_account.scheduler.email,
      google_cloudfunctions2_function.this["sweep"].service_config[0].environment_variables["FLOYD_SWEEP_INVOKER"] == google_service_account.scheduler.email,
    ])
    error_message = "The sweeper is woken every minute by the one account that it lets in."
  }

  assert {
    condition = alltrue([
      google_firestore_database.this.point_in_time_recovery_enablement == "POINT_IN_TIME_RECOVERY_ENABLED",
      google_firestore_database.this.delete_protection_state == "DELETE_PROTECTION_ENABLED",
      google_firestore_database.this.database_edition == "STANDARD",
    ])
    error_message = "What people told Floyd can be restored and is not deleted by an apply."
  }
}

# The same commit with other settings must become another revision, or Cloud Run refuses it.
run "another_setting" {
  command = plan

  variables {
    settings = { FLOYD_VOICE = "en-US-Chirp3-HD-Aoede", FLOYD_OPEN_SIGNUP = "true" }
  }

  assert {
    condition     = local.relays[0].revision != run.release.relays[0].revision && local.relays[0].service == run.release.relays[0].service
    error_message = "A setting changed and the revision's name did not."
  }

  assert {
    condition = (
      !strcontains(google_firebaserules_ruleset.firestore.source[0].files[0].content, local.claimed)
      && strcontains(local.rules, local.claimed)
    )
    error_message = "Open to everybody, and the rules still ask for the operator's claim (or have asked in other words)."
  }
}

run "as_a_module" {
  command = plan

  module {
    source = "./examples/module"
  }

  assert {
    condition     = output.twilio_webhooks.a_message_comes_in == "https://floyd-carrier-123456789012.europe-west4.run.app/sms"
    error_message = "The module's outputs must reach the root around it."
  }
}
