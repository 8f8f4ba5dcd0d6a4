locals {
  released = var.release == null ? [] : ["release"]

  # `seconds`: a little above the process's own budget. `creation_of`: the document whose creation starts it.
  functions = {
    api  = { invoker = "allUsers", seconds = 60, concurrency = 40, instances = 10 }
    plan = { invoker = local.events, seconds = 300, concurrency = 10, instances = 10, creation_of = "jobs/{id}", retry = true }
    # A lost event is found by the sweeper within a minute; an event that comes again and again only wakes old errands.
    dial    = { invoker = local.events, seconds = 120, concurrency = 10, instances = 10, creation_of = "calls/{attempt}", retry = false }
    carrier = { invoker = "allUsers", seconds = 15, concurrency = 40, instances = 10 } # Twilio waits no longer
    sweep   = { invoker = google_service_account.scheduler.member, seconds = 60, concurrency = 1, instances = 1 }
  }
  events = google_service_account.events.member
}

resource "google_cloudfunctions2_function" "this" {
  for_each = { for name, function in local.functions : name => function if var.release != null }

  project  = local.project
  location = var.region
  name     = "floyd-${each.key}"

  build_config {
    runtime           = "python313"
    entry_point       = each.key
    docker_repository = google_artifact_registry_repository.images.id
    service_account   = google_service_account.builder.id
    source {
      storage_source {
        bucket = google_storage_bucket.bundles.name
        object = google_storage_bucket_object.bundle["release"].name
      }
    }
  }

  service_config {
    service_account_email            = google_service_account.process[each.key].email
    available_cpu                    = "1"
    available_memory                 = "512Mi"
    timeout_seconds                  = each.value.seconds
    max_instance_request_concurrency = each.value.concurrency
    max_instance_count               = each.value.instances
    min_instance_count               = lookup(var.min_instances, each.key, 0)
    ingress_settings                 = each.value.invoker == "allUsers" ? "ALLOW_ALL" : "ALLOW_INTERNAL_ONLY"
    environment_variables            = local.settings

    dynamic "secret_environment_variables" {
      for_each = local.secrets_of[each.key]
      content {
        project_id = local.project
        key        = secret_environment_variables.key
        secret     = google_secret_manager_secret.this[secret_environment_variables.key].secret_id
        version    = secret_environment_variables.value
      }
    }
  }

  dynamic "event_trigger" {
    for_each = compact([lookup(each.value, "creation_of", null)])
    content {
      event_type            = "google.cloud.firestore.document.v1.created"
      trigger_region        = local.firestore_location # where the database is, wherever the function runs
      retry_policy          = each.value.retry ? "RETRY_POLICY_RETRY" : "RETRY_POLICY_DO_NOT_RETRY"
      service_account_email = google_service_account.events.email
      event_filters {
        attribute = "database"
        value     = google_firestore_database.this.name
      }
      event_filters {
        attribute = "document"
        value     = "users/{uid}/requests/{rid}/${event_trigger.value}"
        operator  = "match-path-pattern"
      }
    }
  }

  depends_on = [
    google_artifact_registry_repository_iam_member.builder,
    google_project_iam_member.builder,
    google_project_iam_member.builder_reads,
    google_project_iam_member.events,
    google_secret_manager_secret_iam_member.reader,
  ]
}

resource "google_cloud_run_v2_service_iam_member" "function" {
  for_each = google_cloudfunctions2_function.this

  project  = local.project
  location = var.region
  name     = each.value.name # the Cloud Run service beneath the function
  role     = "roles/run.invoker"
  member   = local.functions[each.key].invoker
}

resource "google_service_account" "events" {
  project      = local.project
  account_id   = "floyd-events"
  display_name = "Floyd: delivers Firestore's events"
}

resource "google_project_iam_member" "events" {
  project = local.project
  role    = "roles/eventarc.eventReceiver"
  member  = google_service_account.events.member
}
