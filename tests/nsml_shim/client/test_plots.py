import json


def test_what_is_drawn_through_visdom_is_kept_without_a_server(store):
    code = (
        "import numpy as np\nfrom nsml import Visdom\n"
        "viz = Visdom(visdom=None, port=8097)\n"
        "win = viz.line(Y=np.array([1.0, 2.0]), X=[1, 2], opts={'title': 'loss'})\n"
        "viz.line(Y=np.array([3.0]), win=win, update='append')\n"
        "viz.image(np.zeros((3, 200, 200)))\n"
        "viz.text('done', env=object)\n"
        "print(viz.check_connection(), viz.win_exists(win), viz.win_exists('other'))\n"
        "viz.close(win); print(viz.win_exists(win))"
    )
    assert store.run(code).stdout == "True True False\nFalse\n"
    lines = [json.loads(line) for line in store.folder().visdom.read_text().splitlines()]
    assert [line["call"] for line in lines] == ["line", "line", "image", "text", "close"]
    assert lines[0]["kwargs"]["Y"] == [1.0, 2.0]
    assert lines[1]["kwargs"]["win"] == lines[0]["kwargs"]["win"]
    assert lines[2]["args"] == [{"shape": [3, 200, 200], "dtype": "float64"}]


def test_outside_a_session_visdoms_own_client_draws(monkeypatch):
    from types import SimpleNamespace

    from nsml_shim.client import plots

    monkeypatch.setattr(plots, "CURRENT", None)
    module = SimpleNamespace(Visdom=lambda port: f"own client at {port}")
    assert plots.Visdom(visdom=module, port=1) == "own client at 1"
