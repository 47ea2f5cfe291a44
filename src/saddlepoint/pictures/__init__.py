"""Pictures for people: grids, sheets, films, plots, and the page that tells how a run went.

One idea a file, and nothing here knows a game: tensors, arrays and the files of a run folder come in, pictures go out.
Nothing is imported until it is needed, so `from saddlepoint.pictures.report import write_report` does not load torch.
"""
