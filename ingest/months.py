"""Month names of the languages feeds write dates in (after Unicode CLDR), and what they mean.

Names are folded as ``fold`` does: lower case, without accents, without a final full stop. Where
languages disagree (``listopad`` is October in Croatian, November in Czech and Polish), a name
means nothing until the language is known.
"""

# ruff: noqa: RUF001 - month names stand in their own scripts
from __future__ import annotations

import unicodedata
from typing import Final

_NAMES: Final = {
    "en": (
        "january jan, february feb, march mar, april apr, may, june jun, july jul, august aug, "
        "september sep sept, october oct, november nov, december dec"
    ),
    "pt": (
        "janeiro jan, fevereiro fev, marco mar, abril abr, maio mai, junho jun, julho jul, "
        "agosto ago, setembro set, outubro out, novembro nov, dezembro dez"
    ),
    "es": (
        "enero ene, febrero feb, marzo mar, abril abr, mayo may, junio jun, julio jul, agosto "
        "ago, septiembre sept sep set setiembre, octubre oct, noviembre nov, diciembre dic"
    ),
    "fr": (
        "janvier janv jan, fevrier fevr fev, mars, avril avr, mai, juin, juillet juil jul, aout "
        "aou, septembre sept, octobre oct, novembre nov, decembre dec"
    ),
    "it": (
        "gennaio gen, febbraio feb, marzo mar, aprile apr, maggio mag, giugno giu, luglio lug, "
        "agosto ago, settembre set sett, ottobre ott, novembre nov, dicembre dic"
    ),
    "de": (
        "januar jan janner, februar feb feber, marz mar mrz, april apr, mai, juni jun, juli "
        "jul, august aug, september sept sep, oktober okt, november nov, dezember dez"
    ),
    "nl": (
        "januari jan, februari feb, maart mrt, april apr, mei, juni jun, juli jul, augustus "
        "aug, september sep, oktober okt, november nov, december dec"
    ),
    "sv": (
        "januari jan, februari feb, mars, april apr, maj, juni, juli, augusti aug, september "
        "sep, oktober okt, november nov, december dec"
    ),
    "da": (
        "januar jan, februar feb, marts mar, april apr, maj, juni jun, juli jul, august aug, "
        "september sep, oktober okt, november nov, december dec"
    ),
    "nb": (
        "januar jan, februar feb, mars mar, april apr, mai, juni jun, juli jul, august aug, "
        "september sep, oktober okt, november nov, desember des"
    ),
    "fi": (
        "tammikuuta tammi tammikuu, helmikuuta helmi helmikuu, maaliskuuta maalis maaliskuu, "
        "huhtikuuta huhti huhtikuu, toukokuuta touko toukokuu, kesakuuta kesa kesakuu, "
        "heinakuuta heina heinakuu, elokuuta elo elokuu, syyskuuta syys syyskuu, lokakuuta loka "
        "lokakuu, marraskuuta marras marraskuu, joulukuuta joulu joulukuu"
    ),
    "is": (
        "januar jan, februar feb, mars mar, april apr, mai, juni jun, juli jul, agust agu, "
        "september sep, oktober okt, november nov, desember des"
    ),
    "et": (
        "jaanuar jaan, veebruar veebr, marts, aprill apr, mai, juuni, juuli, august aug, "
        "september sept, oktoober okt, november nov, detsember dets"
    ),
    "lv": (
        "janvaris janv, februaris febr, marts, aprilis apr, maijs, junijs jun, julijs jul, "
        "augusts aug, septembris sept, oktobris okt, novembris nov, decembris dec"
    ),
    "lt": (
        "sausio saus sausis, vasario vas vasaris, kovo kov kovas, balandzio bal balandis, "
        "geguzes geg geguze, birzelio birz birzelis, liepos liep liepa, rugpjucio rugp "
        "rugpjutis, rugsejo rugs rugsejis, spalio spal spalis, lapkricio lapkr lapkritis, "
        "gruodzio gruod gruodis"
    ),
    "pl": (
        "stycznia sty styczen, lutego lut luty, marca mar marzec, kwietnia kwi kwiecien, maja "
        "maj, czerwca cze czerwiec, lipca lip lipiec, sierpnia sie sierpien, wrzesnia wrz "
        "wrzesien, pazdziernika paz pazdziernik, listopada lis listopad, grudnia gru grudzien"
    ),
    "cs": (
        "ledna led leden, unora uno unor, brezna bre brezen, dubna dub duben, kvetna kve "
        "kveten, cervna cvn cerven, cervence cvc cervenec, srpna srp srpen, zari zar, rijna rij "
        "rijen, listopadu lis listopad, prosince pro prosinec"
    ),
    "sk": (
        "januara jan januar, februara feb februar, marca mar marec, aprila apr april, maja maj, "
        "juna jun, jula jul, augusta aug august, septembra sep september, oktobra okt oktober, "
        "novembra nov november, decembra dec december"
    ),
    "sl": (
        "januar jan, februar feb, marec mar, april apr, maj, junij jun, julij jul, avgust avg, "
        "september sep, oktober okt, november nov, december dec"
    ),
    "hr": (
        "sijecnja sij sijecanj, veljace velj veljaca, ozujka ozu ozujak, travnja tra travanj, "
        "svibnja svi svibanj, lipnja lip lipanj, srpnja srp srpanj, kolovoza kol kolovoz, rujna "
        "ruj rujan, listopada lis listopad, studenoga stu studeni, prosinca pro prosinac"
    ),
    "sr": (
        "јануар јан januar, фебруар феб, март мар, април апр, мај, јун, јул, август авг, "
        "септембар сеп, октобар окт, новембар нов, децембар дец"
    ),
    "bg": (
        "януари яну, февруари фев, март, април апр, маи, юни, юли, август авг, септември сеп, "
        "октомври окт, ноември ное, декември дек"
    ),
    "mk": (
        "јануари јан, февруари фев, март мар, април апр, мај, јуни јун, јули јул, август авг, "
        "септември сеп, октомври окт, ноември ное, декември дек"
    ),
    "ru": (
        "января янв январь, февраля февр февраль фев, марта мар март, апреля апр апрель, мая "
        "маи, июня июн июнь, июля июл июль, августа авг август, сентября сент сентябрь сен, "
        "октября окт октябрь, ноября нояб ноябрь ноя, декабря дек декабрь"
    ),
    "uk": (
        "січня січ січень, лютого лют лютии, березня бер березень, квітня квіт квітень, травня "
        "трав травень, червня черв червень, липня лип липень, серпня серп серпень, вересня вер "
        "вересень, жовтня жовт жовтень, листопада лист листопад, грудня груд грудень"
    ),
    "be": (
        "студзеня сту студзень, лютага лют люты, сакавіка сак сакавік, красавіка кра красавік, "
        "мая маи, чэрвеня чэр чэрвень, ліпеня ліп ліпень, жніуня жні жнівень, верасня вер "
        "верасень, кастрычніка кас кастрычнік, лістапада ліс лістапад, снежня сне снежань"
    ),
    "ro": (
        "ianuarie ian, februarie feb, martie mar, aprilie apr, mai, iunie iun, iulie iul, "
        "august aug, septembrie sept, octombrie oct, noiembrie nov, decembrie dec"
    ),
    "hu": (
        "januar jan, februar febr, marcius marc, aprilis apr, majus maj, junius jun, julius "
        "jul, augusztus aug, szeptember szept, oktober okt, november nov, december dec"
    ),
    "el": (
        "ιανουαριου ιαν ιανουαριος, φεβρουαριου φεβ φεβρουαριος, μαρτιου μαρ μαρτιος, απριλιου "
        "απρ απριλιος, μαιου μαι μαιος, ιουνιου ιουν ιουνιος, ιουλιου ιουλ ιουλιος, αυγουστου "
        "αυγ αυγουστος, σεπτεμβριου σεπ σεπτεμβριος, οκτωβριου οκτ οκτωβριος, νοεμβριου νοε "
        "νοεμβριος, δεκεμβριου δεκ δεκεμβριος"
    ),
    "tr": (
        "ocak oca, subat sub, mart mar, nisan nis, mayıs may, haziran haz, temmuz tem, agustos "
        "agu, eylul eyl, ekim eki, kasım kas, aralık ara"
    ),
    "ca": (
        "gener gen, febrer febr, marc, abril abr, maig, juny, juliol jul, agost ag, setembre "
        "set, octubre oct, novembre nov, desembre des"
    ),
    "gl": (
        "xaneiro xan, febreiro feb, marzo mar, abril abr, maio, xuno, xullo xul, agosto ago, "
        "setembro set, outubro out, novembro nov, decembro dec"
    ),
    "eu": (
        "urtarrila urt, otsaila ots, martxoa mar, apirila api, maiatza mai, ekaina eka, uztaila "
        "uzt, abuztua abu, iraila ira, urria urr, azaroa aza, abendua abe"
    ),
    "af": (
        "januarie jan, februarie feb, maart mrt, april apr, mei, junie jun, julie jul, augustus "
        "aug, september sep, oktober okt, november nov, desember des"
    ),
    "id": (
        "januari jan, februari feb, maret mar, april apr, mei, juni jun, juli jul, agustus agu, "
        "september sep, oktober okt, november nov, desember des"
    ),
    "ms": (
        "januari jan, februari feb, mac, april apr, mei, jun, julai jul, ogos ogo, september "
        "sep, oktober okt, november nov, disember dis"
    ),
    "sq": (
        "janar jan, shkurt shk, mars mar, prill pri, maj, qershor qer, korrik korr, gusht gush, "
        "shtator sht, tetor tet, nentor nen, dhjetor dhj"
    ),
    "ar": (
        "يناير كانون٢ جانفي, فبراير شباط فيفري, مارس اذار, ابريل نيسان افريل, مايو ايار ماي, "
        "يونيو حزيران جوان, يوليو تموز جويلية, اغسطس اب اوت, سبتمبر ايلول, اكتوبر تشرين١, "
        "نوفمبر تشرين٢, ديسمبر كانون١"
    ),
    "he": (
        "ינואר ינו, פברואר פבר, מרץ, אפריל אפר, מאי, יוני, יולי, אוגוסט אוג, ספטמבר ספט, "
        "אוקטובר אוק, נובמבר נוב, דצמבר דצמ"
    ),
    "hi": (
        "जनवरी जन ינואר ינו, फरवरी फर פברואר פבר, मारच מרץ, अपरैल אפריל אפר, मई מאי, जून יוני, "
        "जुलाई जुल יולי, अगसत अग אוגוסט אוג, सितंबर सित ספטמבר ספט, अकटूबर अकटू אוקטובר אוק, "
        "नवंबर नव נובמבר נוב, दिसंबर दिस דצמבר דצמ"
    ),
    "bn": (
        "জানুযারী জানু ינואר, ফেবরুযারী ফেব פברואר, মারচ מרץ, এপরিল এপরি אפריל, মে מאי, জুন "
        "יוני, জুলাই জুল יולי, আগসট আগ אוגוסט, সেপটেমবর সেপ ספטמבר, অকটোবর অকটো אוקטובר, "
        "নভেমবর নভে נובמבר, ডিসেমবর ডিসে דצמבר"
    ),
    "az": (
        "yanvar yan ינואר ינו, fevral fev פברואר פבר, mart mar מרץ, aprel apr אפריל אפר, may "
        "מאי, iyun iyn יוני, iyul iyl יולי, avqust avq אוגוסט אוג, sentyabr sen ספטמבר ספט, "
        "oktyabr okt אוקטובר אוק, noyabr noy נובמבר נוב, dekabr dek דצמבר דצמ"
    ),
}


def fold(text: str) -> str:
    """``text`` in lower case and without accents, so that ``Août`` and ``aout`` are one."""
    apart = unicodedata.normalize("NFKD", text.lower())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _meanings() -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for language, months in _NAMES.items():
        for number, names in enumerate(months.split(","), start=1):
            for name in names.split():
                found.setdefault(name, {})[language] = number
    return found


_MEANINGS: Final = _meanings()


def month_number(name: str, *, language: str = "") -> int | None:
    """The month that the folded ``name`` means, or None where it means none, or several."""
    meanings = _MEANINGS.get(name)
    if meanings is None:
        return None
    primary = language.replace("_", "-").split("-")[0].lower()
    if primary in meanings:
        return meanings[primary]
    numbers = set(meanings.values())
    return numbers.pop() if len(numbers) == 1 else None
