/**
 * Code points nobody sees: controls, format characters (zero width, bidirectional, tags), private use, unassigned, lone
 * surrogates, and everything Unicode calls default-ignorable (variation selectors, fillers). Line feed and tab stay, and the few
 * format characters that do show (signs above Arabic and Syriac numbers).
 */
const INVISIBLE =
  /(?![\n\t\u0600-\u0605\u06DD\u070F\u0890\u0891\u08E2])[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;

const NUMERIC = /&#(?:[xX]([0-9a-fA-F]{1,6})|(\d{1,7}));/g;
/** Named character references of HTML that stand for something invisible. */
const NAMED =
  /&(?:ZeroWidthSpace|Negative(?:VeryThin|Thin|Medium|Thick)Space|NoBreak|zwn?j|[lr]rm|shy|af|ApplyFunction|it|InvisibleTimes|ic|InvisibleComma);/g;

/** `text` without code points nobody sees; line ends become `\n`. */
export function withoutInvisible(text: string): string {
  return text.replaceAll(/\r\n|[\r\u2028\u2029\u0085]/g, '\n').replaceAll(INVISIBLE, '');
}

/** `text` without character references (`&#8203;`, `&zwj;`) that stand for code points nobody sees. */
export function withoutInvisibleReferences(text: string): string {
  return text.replaceAll(NAMED, '').replaceAll(NUMERIC, (reference, hex?: string, decimal?: string) => {
    const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    if (point > 0x10_ff_ff) return '';
    return withoutInvisible(String.fromCodePoint(point)) === '' ? '' : reference;
  });
}
