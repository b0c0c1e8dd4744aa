"""Operations on the images of the catalogue: lists as forms, previews, and runs of the workflow."""
