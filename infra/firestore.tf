locals {
  firestore_location = coalesce(var.firestore_location, var.region)

  # The Firebase tools' own format, so that they can read it too.
  firestore = jsondecode(file("${path.module}/firestore.indexes.json"))

  # Where anybody may sign up, the rules ask no more for the claim that `floyd users add` gives than `api` does.
  open    = contains(["1", "true"], lower(lookup(var.settings, "FLOYD_OPEN_SIGNUP", "")))
  claimed = "request.auth.token.get('floyd', false) == true"
  rules   = file("${path.module}/firestore.rules")
}

resource "google_firestore_database" "this" {
  project                           = local.project
  name                              = "(default)"
  location_id                       = local.firestore_location
  type                              = "FIRESTORE_NATIVE"
  database_edition                  = "STANDARD"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = "DELETE_PROTECTION_ENABLED"
}

resource "google_firestore_backup_schedule" "daily" {
  project   = local.project
  database  = google_firestore_database.this.name
  retention = "${14 * 24 * 3600}s" # point-in-time recovery reaches back 7 days

  daily_recurrence {}
}

resource "google_firestore_index" "this" {
  for_each = {
    for index in local.firestore.indexes :
    join(" ", concat([index.collectionGroup], index.fields[*].fieldPath)) => index
  }

  project     = local.project
  database    = google_firestore_database.this.name
  collection  = each.value.collectionGroup
  query_scope = each.value.queryScope

  dynamic "fields" {
    for_each = each.value.fields
    content {
      field_path = fields.value.fieldPath
      order      = fields.value.order
    }
  }
}

resource "google_firestore_field" "this" {
  for_each = { for field in local.firestore.fieldOverrides : "${field.collectionGroup}.${field.fieldPath}" => field }

  project    = local.project
  database   = google_firestore_database.this.name
  collection = each.value.collectionGroup
  field      = each.value.fieldPath

  dynamic "index_config" { # absent: indexed as any field; empty: not at all
    for_each = try([each.value.indexes], [])
    content {
      dynamic "indexes" {
        for_each = index_config.value
        content {
          order       = indexes.value.order
          query_scope = indexes.value.queryScope
        }
      }
    }
  }

  dynamic "ttl_config" {
    for_each = try(each.value.ttl, false) ? [1] : []
    content {}
  }
}

resource "google_firebaserules_ruleset" "firestore" {
  project = local.project

  source {
    files {
      name    = "firestore.rules"
      content = local.open ? replace(local.rules, local.claimed, "true") : local.rules
    }
  }

  lifecycle {
    create_before_destroy = true # the release must never point at nothing
  }
}

resource "google_firebaserules_release" "firestore" {
  project      = local.project
  name         = "cloud.firestore"
  ruleset_name = "projects/${local.project}/rulesets/${google_firebaserules_ruleset.firestore.name}"

  depends_on = [google_firestore_database.this]
}
