"""Small files in the published layouts, made up here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

AZURE_2023 = """TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:15:46.6805900,374,44
2023-11-16 18:15:46.6805901,396,0
2023-11-16 18:19:51.2224670,879,55
"""
AZURE_2024 = """TIMESTAMP,ContextTokens,GeneratedTokens
2024-05-10 00:00:00.009930+00:00,2162,5
2024-05-10 00:00:01+00:00,12,7
2024-05-10T00:00:01.5Z,13,8
2024-05-09 17:00:02.009930-0700,14,9
"""
AZURE_MULTIMODAL = """TIMESTAMP,NumImages,ContextTokens,GeneratedTokens
2024-10-15 12:03:41.100000,2,1700,20
2024-10-15 12:03:41.350000,0,90,310
"""
BURSTGPT_FIRST = """Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type
5,ChatGPT,472,18,490,Conversation log
45,ChatGPT,1087,230,1317,Conversation log
118,GPT-4,417,0,417,API log
"""
BURSTGPT_LATER = """Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type
19440110.0,1722ac82-0a46-4bf0-aa08-89794e7a2b3f,43,GPT-4,906,446,1352,Conversation log
19440161.0,,2,ChatGPT,36,29,65,API log
"""
MOONCAKE = """{"timestamp": 0, "input_length": 6758, "output_length": 500, "hash_ids": [0, 1, 2]}
{"timestamp": 3000, "input_length": 7322, "output_length": 490, "hash_ids": [0, 14]}
{"timestamp": 3000, "input_length": 7236, "output_length": 0, "hash_ids": [0, 28]}
"""
G_NETTRACK = """Timestamp,Longitude,Latitude,Speed,NetworkMode,DL_bitrate,UL_bitrate,State
2019.12.14_10.16.30,-8.39,51.93,0,5G,40000,800,D
2019.12.14_10.16.31,-8.39,51.93,0,5G,20000,-,D
2019.12.14_10.16.31,-8.39,51.93,0,LTE,30000,600,D
2019.12.14_10.16.33,-8.39,51.93,0,5G,-,500,I
2019.12.14_10.16.34,-8.39,51.93,0,5G,0,,D
"""

REQUESTS = {
    "azure-llm": AZURE_2023,
    "azure-multimodal": AZURE_MULTIMODAL,
    "burstgpt": BURSTGPT_LATER,
    "mooncake": MOONCAKE,
    "csv": "time_s,prompt_tokens,output_tokens\n1,100,7\n2.5,300,9\n",
}
RATES = {"two-column": "0 2\n10 0\n20 4\n", "mahimahi": "1\n1\n3\n250\n", "g-nettrack": G_NETTRACK}


def written(folder: Path, text: str, name: str = "trace") -> str:
    """A file with a text; its path."""
    path = folder / name
    path.write_bytes(text.encode())
    return str(path)


def client(
    folder: Path,
    number: int,
    windows: str = "0,2,1,Gamma,1,0.5\n600,0,0,,0,0\n1200,1,1,Weibull,0.7,1\n",
    **fields: Any,
) -> str:
    """A client of ServeGen in a folder, with one distribution for all times; the folder's path."""
    distributions = {"input_tokens": "{100: 0.25, 200: 0.75}", "output_tokens": "{0: 0.5, 7: 0.5}", **fields}
    (folder / f"chunk-{number}-trace.csv").write_text(windows)
    (folder / f"chunk-{number}-dataset.json").write_text(json.dumps({"0": distributions}))
    return str(folder)
