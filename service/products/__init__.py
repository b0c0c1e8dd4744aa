"""Product images: crops that are made at once or found by saliency, and the limit on them.

:mod:`service.products.crops`
    What a client asks for, checked, and the images that come of it.
:mod:`service.products.results`
    The folder of the results, as it is written to and served.
:mod:`service.products.limiter`
    How many images an address may send in an hour.
"""
