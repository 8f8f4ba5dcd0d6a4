terraform {
  required_version = ">= 1.9" # a variable's validation may look at other variables

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 9"
    }
    google-beta = { # Firebase itself: its project, web app and hosting
      source  = "hashicorp/google-beta"
      version = ">= 6.50, < 9"
    }
  }
}
