# Where the function's container images are.

resource "aws_ecr_repository" "function" {
  #checkov:skip=CKV_AWS_136:ECR's own key, docs/decisions/2026-11-20-encryption-at-rest.md
  name                 = var.name
  image_tag_mutability = "IMMUTABLE"

  # Images can be built again from the sources, so they do not stand in the way of `make destroy`.
  force_delete = true

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "AES256"
  }

  tags = local.tags
}

# Only what has no tag ever expires: what is left of pushes that broke off. An image that is
# deployed has one, `make deploy` sees to that, and in an immutable repository no push can take it
# away. Any rule about tagged images, by age or by count, could hit the one that is running:
# docs/decisions/2026-11-20-images-that-expire.md.
resource "aws_ecr_lifecycle_policy" "function" {
  repository = aws_ecr_repository.function.name

  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "What has no tag is deployed nowhere"
      selection = {
        tagStatus   = "untagged"
        countType   = "sinceImagePushed"
        countUnit   = "days"
        countNumber = 14
      }
      action = { type = "expire" }
    }]
  })
}
