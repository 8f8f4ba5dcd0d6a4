"""What cloudbuild.yaml runs: bundle the functions, move traffic, prove the release with a call."""
