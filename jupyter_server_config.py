"""JupyterLab, started in this folder, saves notebooks in their committed form, so that a look stales no stage."""

from synthcohort.pages.strip import save_stripped

c = get_config()  # type: ignore[name-defined]  # noqa: F821
c.FileContentsManager.pre_save_hook = save_stripped
