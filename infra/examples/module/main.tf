# Floyd in somebody's root, beside whatever else is there.
terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 9"
    }
    google-beta = {
      source  = "hashicorp/google-beta"
      version = ">= 6.50, < 9"
    }
  }

  backend "gcs" {} # terraform init -backend-config bucket=…
}

# Budgets, Identity Platform and Firebase are charged to a project of their caller's.
provider "google" {
  billing_project       = var.project_id
  user_project_override = true
}

provider "google-beta" {
  billing_project       = var.project_id
  user_project_override = true
}

variable "project_id" {
  description = "Google Cloud project to build in."
  type        = string
}

variable "release" {
  description = "What cloudbuild.yaml has built."
  type        = object({ bundle = string, commit = string, image = string })
  default     = null
}

module "floyd" {
  source = "../.."

  project_id         = var.project_id
  release            = var.release
  region             = "europe-west4"
  firestore_location = "eur3"
  relay_shards       = 3
  max_calls          = 40
  daily_spend        = 150
  min_instances      = { carrier = 1, relay = 1 }
  twilio             = { account_sid = "AC00000000000000000000000000000000", caller_number = "+442079460123" }
  secret_versions    = { OPENAI_API_KEY = "3", TWILIO_AUTH_TOKEN = "7", FLOYD_TWILIO_AUTH_TOKEN_NEXT = "1" }
  settings           = { FLOYD_DIAL_REGIONS = "GB,NL", FLOYD_LANGUAGE = "en-GB", FLOYD_SPEECH_LOCATION = "eu" }
  billing_account    = "0123AB-4567CD-89EF01"
  alert_emails       = ["on-call@example.com"]
}

output "twilio_webhooks" {
  description = "What to enter at the Twilio number."
  value       = module.floyd.twilio_webhooks
}
