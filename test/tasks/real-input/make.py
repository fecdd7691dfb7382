#!/usr/bin/python3
"""Makes the pictures and tables of this folder, and their right answers (expected.json), with other tools than the tasks.

    /usr/bin/python3 test/tasks/real-input/make.py

Needs Debian's packages imagemagick, python3-pil and webp. Pictures are drawn and read by ImageMagick and Pillow; tables are read by Python's csv module.
"""
import csv
import io
import json
import statistics
import subprocess
from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path(__file__).parent
PICTURES = FOLDER / "pictures"
TABLES = FOLDER / "tables"
PHOTO = FOLDER / "../../../demo/data/hubble-extreme-deep-field.jpg"

RED, GREEN, BLUE, YELLOW = (220, 40, 40), (40, 180, 40), (40, 40, 220), (220, 200, 40)
EXIF_ORIENTATION = 0x0112
# What turns the upright picture into the stored one, by its EXIF orientation.
STORED = {
    1: [],
    2: [Image.Transpose.FLIP_LEFT_RIGHT],
    3: [Image.Transpose.ROTATE_180],
    4: [Image.Transpose.FLIP_TOP_BOTTOM],
    5: [Image.Transpose.TRANSPOSE],
    6: [Image.Transpose.ROTATE_90],
    7: [Image.Transpose.TRANSVERSE],
    8: [Image.Transpose.ROTATE_270],
}


def quarters(mode="RGB", size=(64, 48)):
    """Four colours: red and green above, blue and yellow below."""
    width, height = size
    picture = Image.new("RGB", size)
    draw = ImageDraw.Draw(picture)
    for colour, left, top in ((RED, 0, 0), (GREEN, width // 2, 0), (BLUE, 0, height // 2), (YELLOW, width // 2, height // 2)):
        draw.rectangle((left, top, left + width // 2 - 1, top + height // 2 - 1), fill=colour)
    return picture.convert(mode)


def photo():
    """A piece of the Hubble Extreme Deep Field, which has stars of every colour, and noise."""
    return Image.open(PHOTO).crop((300, 200, 396, 272))


def magick(source, *arguments, target):
    subprocess.run(["convert", str(source), *arguments, str(target)], check=True)


def make_pictures():
    best = {"quality": 95, "subsampling": 0}
    for orientation, steps in STORED.items():
        stored = quarters()
        for step in steps:
            stored = stored.transpose(step)
        exif = Image.Exif()
        exif[EXIF_ORIENTATION] = orientation
        stored.save(PICTURES / f"orientation-{orientation}.jpg", exif=exif, **best)
    quarters("L").save(PICTURES / "grey.jpg", **best)
    quarters().save(PICTURES / "progressive.jpg", progressive=True, **best)
    photo().save(PICTURES / "photo-420.jpg", quality=85, subsampling=2)
    photo().convert("CMYK").save(PICTURES / "inks.jpg", **best)
    quarters().save(PICTURES / "eight-bit.png")
    magick(PICTURES / "eight-bit.png", "-depth", "16", "-define", "png:bit-depth=16", target=PICTURES / "sixteen-bit.png")
    magick(PICTURES / "eight-bit.png", "-colorspace", "Gray", "-define", "png:color-type=0", "-define", "png:bit-depth=16", target=PICTURES / "sixteen-bit-grey.png")
    magick(PICTURES / "eight-bit.png", "-interlace", "PNG", target=PICTURES / "interlaced.png")
    magick(PICTURES / "eight-bit.png", "-monochrome", "-define", "png:bit-depth=1", target=PICTURES / "one-bit.png")
    palette = quarters().quantize(4)
    palette.save(PICTURES / "palette-transparent.png", transparency=palette.getpixel((2, 2)))
    veiled = quarters("RGBA")
    veiled.putalpha(128)
    veiled.save(PICTURES / "half-transparent.png")
    veiled.convert("LA").save(PICTURES / "grey-alpha.png")
    later = [Image.new("RGB", (64, 48), colour) for colour in (RED, BLUE)]
    quarters().save(PICTURES / "animated.png", save_all=True, append_images=later, duration=100)
    quarters().save(PICTURES / "animated.webp", save_all=True, append_images=later, duration=100, lossless=True)
    quarters().save(PICTURES / "lossless.webp", lossless=True)
    quarters().save(PICTURES / "lossy.webp", quality=95)
    quarters(size=(200, 2)).crop((0, 0, 200, 1)).save(PICTURES / "one-pixel-high.png")
    quarters(size=(2, 200)).crop((0, 0, 1, 200)).save(PICTURES / "one-pixel-wide.jpg", **best)
    Image.new("RGB", (1, 1), RED).save(PICTURES / "one-pixel.webp", lossless=True)
    # What people send, too, and what the task does not take.
    quarters().save(PICTURES / "picture.gif")
    quarters().save(PICTURES / "picture.bmp")
    quarters().save(PICTURES / "picture.tif")
    (PICTURES / "page-called-picture.jpg").write_text("<!doctype html><title>Not found</title>\n")


TEXTS = {
    "semicolons-and-decimal-commas.csv": ("Artikel;Preis;Menge\nSchraube;1,25;100\nMutter;0,40;250\nScheibe;12,00;3\n", "utf-8", ";"),
    "tabs.tsv": ("city\tpopulation\tcoast\nBergen\t291940\ttrue\nOslo\t717710\ttrue\nLillehammer\t28560\tfalse\n", "utf-8", "\t"),
    "pipes.txt": ("id|name\n1|left, right\n2|up; down\n", "utf-8", "|"),
    "line-ends-in-quotes.csv": ('name,address\n"Ada","12 St James\'s Square\nLondon"\n"Alan","Bletchley Park\r\nMilton Keynes"\n', "utf-8", ","),
    "doubled-quotes.csv": ('said,by\n"He said ""no"", twice",Bob\n"""",Eve\n', "utf-8", ","),
    "byte-order-mark.csv": ("\ufeffname,age\nZoë,31\nŁukasz,44\n", "utf-8", ","),
    "utf-16-of-a-spreadsheet.csv": ("\ufeffname\tage\r\nZoë\t31\r\nŁukasz\t44\r\n", "utf-16-le", "\t"),
    "windows-1252.csv": ("name,price\r\nCafé Müller,3.50\r\n“Søren”,4.25\r\n", "cp1252", ","),
    "ragged.csv": ("a,b,c\n1,2,3\n4,5\n6,7,8,9\n10\n", "utf-8", ","),
    "carriage-returns.csv": ("a,b\r1,x\r2,y\r", "utf-8", ","),
    "mixed-line-ends.csv": ("a,b\r\n1,x\n2,y\r\n\r\n3,z\n", "utf-8", ","),
    "header-only.csv": ("id,name,age\n", "utf-8", ","),
    "no-line-end-at-the-end.csv": ("a,b\n1,2\n3,4", "utf-8", ","),
    "same-names.csv": ("name,name,value,\nx,y,1,\nz,w,2,\n", "utf-8", ","),
    "leading-zeros.csv": ("zip,phone\n01067,0049351\n04109,0049341\n", "utf-8", ","),
    "thousands-separators.csv": ('country,people\nMalta,"542,051"\nTuvalu,"11,396"\n', "utf-8", ","),
    "numbers.csv": ("exponent,signed,large\n1e3,+5,9007199254740991\n2.5E-2,-7,-9007199254740991\n.5,0,0\n", "utf-8", ","),
    "too-large-for-a-double.csv": ("id\n9007199254740993\n9007199254740995\n", "utf-8", ","),
    "not-a-number.csv": ("reading\n1.5\nNaN\nInfinity\n", "utf-8", ","),
    "dates.csv": ("day,moment\n2024-02-29,2024-02-29T12:00:00Z\n2023-12-31,2023-12-31 23:59\n", "utf-8", ","),
    "day-first-dates.csv": ("day\n29.02.2024\n31/12/2023\n", "utf-8", ","),
    "gaps.csv": ("a,b,c\n1,,x\n,,\n 3 ,,y\n", "utf-8", ","),
    "one-column.csv": ("name\nAda\nAlan\nAda\n", "utf-8", ","),
    "long-cell.csv": ("id,text\n1," + "lorem ipsum " * 500 + "\n2,short\n", "utf-8", ","),
}


def make_tables():
    for name, (text, encoding, _) in TEXTS.items():
        (TABLES / name).write_bytes(text.encode(encoding))


def pixel(picture, x, y):
    """Red, green, blue and alpha as ImageMagick reads them, upright, with 8 bits each."""
    command = ["convert", f"{picture}[0]", "-auto-orient", "+repage", "-alpha", "on", "-colorspace", "sRGB", "-depth", "8", "-crop", f"1x1+{x}+{y}", "rgba:-"]
    return list(subprocess.run(command, check=True, capture_output=True).stdout)


def picture_answer(picture):
    size = subprocess.run(["convert", f"{picture}[0]", "-auto-orient", "-format", "%w %h", "info:"], check=True, capture_output=True, text=True)
    width, height = map(int, size.stdout.split())
    places = [(int(width * x), int(height * y)) for y in (0.25, 0.75) for x in (0.25, 0.75)]
    return {"widthPixels": width, "heightPixels": height, "colours": [{"x": x, "y": y, "rgba": pixel(picture, x, y)} for x, y in places]}


def table_answer(text, delimiter):
    rows = [row for row in csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=delimiter) if row]
    header, body = rows[0], rows[1:]
    width = max(len(row) for row in rows)
    columns = []
    for index in range(width):
        cells = [row[index].strip(" \t") if index < len(row) else "" for row in body]
        values = [cell for cell in cells if cell]
        answer = {"count": len(values), "nulls": len(cells) - len(values), "distinct": len(set(values))}
        columns.append({**answer, **number_answer(values)})
    ragged = sum(len(row) != len(header) for row in body)
    return {"rows": len(body), "raggedRows": ragged, "delimiter": delimiter, "columns": columns}


def number_answer(values):
    """Only of columns whose every value is a number that a double has exactly, without leading zeros."""
    numbers = [as_number(value) for value in values]
    if not numbers or None in numbers:
        return {}
    spread = {"stddev": statistics.stdev(numbers)} if len(numbers) > 1 else {}
    return {"min": min(numbers), "max": max(numbers), "mean": statistics.fmean(numbers), **spread}


def as_number(value):
    digits = value.lstrip("+-")
    if not digits.replace(".", "").replace("e", "").replace("E", "").replace("-", "").isdigit():
        return None
    if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit():
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return None if digits.isdigit() and int(value) != number or digits.isdigit() and abs(number) > 2**53 - 1 else number


make_pictures()
make_tables()
REFUSED = {"picture.gif", "picture.bmp", "picture.tif", "page-called-picture.jpg"}
version = subprocess.run(["convert", "--version"], check=True, capture_output=True, text=True).stdout.split()[2]
answers = {
    "by": {"pictures": f"ImageMagick {version}", "tables": "Python's csv and statistics"},
    "pictures": {path.name: picture_answer(path) for path in sorted(PICTURES.iterdir()) if path.name not in REFUSED},
    "tables": {name: table_answer(text, delimiter) for name, (text, _, delimiter) in TEXTS.items()},
}
(FOLDER / "expected.json").write_text(json.dumps(answers, indent="\t", ensure_ascii=False) + "\n")
