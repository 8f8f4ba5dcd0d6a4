locals {
  # Enough to roll out a release: read what Terraform manages, and change what a release changes. Nothing here can
  # grant a role or read a person's documents or a vendor's key: a plan that changes access is applied by a person.
  deployer_roles = [
    "roles/artifactregistry.reader",
    "roles/browser",
    "roles/cloudfunctions.developer",
    "roles/cloudscheduler.viewer",
    "roles/datastore.indexAdmin",
    "roles/firebasehosting.admin",
    "roles/firebaserules.admin",
    "roles/iam.roleViewer",
    "roles/iam.securityReviewer",
    "roles/iam.serviceAccountViewer",
    "roles/logging.configWriter",
    "roles/logging.logWriter",
    "roles/monitoring.editor",
    "roles/run.developer",
    "roles/secretmanager.viewer",
    "roles/serviceusage.serviceUsageViewer",
  ]
}

resource "google_service_account" "deployer" {
  project      = local.project
  account_id   = "floyd-deployer"
  display_name = "Floyd: rolls out releases (cloudbuild.yaml)"
}

resource "google_project_iam_member" "deployer" {
  for_each = toset(local.deployer_roles)

  project = local.project
  role    = each.key
  member  = google_service_account.deployer.member
}

# What Terraform must read of resources whose predefined viewers also read people's sign-ins and documents.
resource "google_project_iam_custom_role" "deployer" {
  project = local.project
  role_id = "floydDeployer"
  title   = "Floyd: read what a plan refreshes"
  permissions = [
    "datastore.backupSchedules.get", "datastore.backupSchedules.list", "datastore.databases.getMetadata",
    "firebase.clients.get", "firebase.clients.list", "firebase.projects.get", "firebaseauth.configs.get",
  ]
}

resource "google_project_iam_member" "deployer_reads" {
  project = local.project
  role    = google_project_iam_custom_role.deployer.name
  member  = google_service_account.deployer.member
}

resource "google_secret_manager_secret_iam_member" "deployer" {
  project   = local.project
  secret_id = google_secret_manager_secret.this["SMOKE_PASSWORD"].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.deployer.member
}

resource "google_billing_account_iam_member" "deployer" {
  for_each = google_billing_budget.this

  billing_account_id = each.value.billing_account
  role               = "roles/billing.viewer"
  member             = google_service_account.deployer.member
}

resource "google_artifact_registry_repository_iam_member" "deployer" {
  project    = local.project
  location   = var.region
  repository = google_artifact_registry_repository.images.repository_id
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.deployer.member
}

resource "google_storage_bucket_iam_member" "deployer" {
  for_each = toset(["roles/storage.legacyBucketReader", "roles/storage.objectAdmin"])

  bucket = google_storage_bucket.bundles.name
  role   = each.key
  member = google_service_account.deployer.member
}

# Whoever deploys code that runs as an account must be allowed to act as it.
resource "google_service_account_iam_member" "deployer" {
  for_each = merge(google_service_account.process, {
    builder = google_service_account.builder
    events  = google_service_account.events
  })

  service_account_id = each.value.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.deployer.member
}
