resource "google_artifact_registry_repository" "images" {
  project       = local.project
  location      = var.region
  repository_id = "floyd"
  format        = "DOCKER"

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 20
    }
  }
  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "${90 * 24 * 3600}s"
    }
  }
}

resource "google_storage_bucket" "bundles" {
  project                     = local.project
  name                        = "${var.project_id}-floyd-bundles"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true # the bundle before this one can be put back
  }
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 90
    }
  }
}

# Named by its content, so that a function is built again exactly when its code has changed.
resource "google_storage_bucket_object" "bundle" {
  for_each = toset(local.released)

  bucket = google_storage_bucket.bundles.name
  name   = "functions-${filesha256(var.release.bundle)}.zip"
  source = var.release.bundle
}

# Builds the functions from their bundle; `floyd-deploy` rolls releases out (deployer.tf).
resource "google_service_account" "builder" {
  project      = local.project
  account_id   = "floyd-builder"
  display_name = "Floyd: builds the functions"
}

resource "google_artifact_registry_repository_iam_member" "builder" {
  project    = local.project
  location   = var.region
  repository = google_artifact_registry_repository.images.repository_id
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.builder.member
}

# Cloud Functions puts a copy of the bundle into a bucket of its own, which is not there before the first build.
resource "google_project_iam_member" "builder_reads" {
  project = local.project
  role    = "roles/storage.objectViewer"
  member  = google_service_account.builder.member

  condition {
    title = "bundles"
    expression = join(" || ", [
      for bucket in ["gcf-v2-sources-${local.number}-", google_storage_bucket.bundles.name] :
      "resource.name.startsWith('projects/_/buckets/${bucket}')"
    ])
  }
}

resource "google_project_iam_member" "builder" {
  project = local.project
  role    = "roles/logging.logWriter"
  member  = google_service_account.builder.member
}
