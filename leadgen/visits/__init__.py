"""How people's links are opened: by people, by preview machines and scanners, by themselves, twice."""
