"""JSON objects that outlive the server: a file each, written as a whole when their contents changed."""
import json
import os


class Kept(dict):
    """{key: object} of the files FOLDER/KEY.json."""

    def __init__(self, folder):
        super().__init__()
        self.dir, self.texts = folder, {}
        os.makedirs(folder, exist_ok=True)
        for name in os.listdir(folder):
            if name.endswith(".json"):
                with open(os.path.join(folder, name), encoding="utf-8") as f:
                    self.texts[name[:-5]] = f.read()
                self[name[:-5]] = json.loads(self.texts[name[:-5]])

    def path(self, key):
        return os.path.join(self.dir, f"{key}.json")

    def save(self, *keys):
        """These, or all; the file of one that is gone goes, too."""
        for key in keys or set(self) | set(self.texts):
            text = json.dumps(self[key], ensure_ascii=False, indent=1) if key in self else None
            if text == self.texts.get(key):
                continue
            if text is None:
                os.unlink(self.path(key))
                del self.texts[key]
            else:
                with open(self.path(key) + ".new", "w", encoding="utf-8") as f:
                    f.write(text)
                os.rename(self.path(key) + ".new", self.path(key))
                self.texts[key] = text
