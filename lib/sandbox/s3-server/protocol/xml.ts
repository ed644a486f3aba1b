/** Writes the XML documents of S3's answers. */

type XmlContent = string | number | boolean | XmlChildren;
/** Elements in order; those whose content is undefined are left out. */
export type XmlChildren = readonly (readonly [name: string, content: XmlContent | undefined])[];

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** A whole document with its declaration. Errors are the one kind without a namespace. */
export function xmlDocument(
  root: string,
  children: XmlChildren,
  options: { readonly namespace: boolean } = { namespace: true },
): string {
  const attribute = options.namespace ? ` xmlns="${NAMESPACE}"` : '';
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${attribute}>${inner(children)}</${root}>`;
}

function inner(content: XmlContent): string {
  if (typeof content !== 'object') {
    return escapeXml(String(content));
  }
  return content
    .map(([name, child]) => (child === undefined ? '' : `<${name}>${inner(child)}</${name}>`))
    .join('');
}

/** Control characters become references, as S3 writes them; clients avoid them by encoding-type=url. */
function escapeXml(text: string): string {
  return text.replaceAll(ESCAPED, (character) => `&#x${character.charCodeAt(0).toString(16)};`);
}

// oxlint-disable-next-line no-control-regex -- these are exactly the characters to escape
const ESCAPED = /[&<>"'\u0000-\u001f\u007f]/gu;
