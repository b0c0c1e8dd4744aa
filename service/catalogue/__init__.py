"""The catalogue: assets of tenants, their renditions and artifacts, usage and purging.

Plain functions of the service's parts and plain values, which return dataclasses. They know nothing
of HTTP: routes, pages and commands are clients of the same functions. Wherever a function takes a
``tenant``, only its assets are visible, and anyone else's are as unknown as those that do not
exist; None is an administrator, who sees all.
"""
