data "google_project" "this" {
  project_id = var.project_id
}

resource "google_project_service" "enabled" {
  for_each = toset([
    "artifactregistry", "billingbudgets", "cloudbuild", "cloudfunctions", "cloudquotas", "cloudresourcemanager",
    "cloudscheduler", "eventarc", "firebase", "firebasehosting", "firebaserules", "firestore", "iam", "identitytoolkit",
    "logging", "monitoring", "places", "pubsub", "run", "secretmanager", "speech", "texttospeech",
  ])

  project            = var.project_id
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false # others in the project may rely on it
}

locals {
  # The project, as soon as it can do what is asked of it: whatever is built in it waits for the services.
  project = distinct(values(google_project_service.enabled)[*].project)[0]
  number  = data.google_project.this.number
}
